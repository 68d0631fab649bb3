#include "source/outbox_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "source/document.h"
#include "source/json.h"
#include "source/limits.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

// Tells keys apart where their ids may be alike.
std::string identity_of(const ResultSet& row, std::size_t at, std::size_t columns) {
    std::string identity;
    for (std::size_t column = at; column < at + columns; ++column) {
        const auto value = row.value(column);
        identity += value ? fmt::format("{}:{}", value->size(), *value) : "-";
    }
    return identity;
}

}  // namespace

OutboxChanges::OutboxChanges(const OutboxLayout& layout)
    : entity_(layout.entity), columns_(fmt::format("{}", fmt::join(layout.entity.columns(), ", "))) {
    std::vector<std::string> select{"`id`"};
    for (const KeyColumn& column : layout.key) {
        is_integer_.push_back(column.outbox.kind == ColumnKind::integer ||
                              column.outbox.kind == ColumnKind::boolean);
        select.push_back(identifier(column.outbox.name));
    }
    select_ = fmt::format("SELECT {} FROM {} FORCE INDEX (PRIMARY) WHERE ", fmt::join(select, ", "),
                          layout.outbox_name());
}

Result<Changes> OutboxChanges::read(Connection& connection, const engine::IntervalSet& revisions,
                                    std::uint64_t entities_max) const {
    const std::uint64_t rows_max =
        std::max(limits::outbox_rows_per_entity * entities_max, limits::outbox_rows_min);
    Changes changes;
    std::unordered_map<std::string, std::size_t> known;
    for (auto left = std::span(revisions.intervals()); !left.empty();) {
        const auto chunk = left.first(std::min(left.size(), limits::intervals_per_statement_max));
        left = left.subspan(chunk.size());
        const std::uint64_t limit = rows_max - changes.rows.size();
        auto rows = connection.query(
            fmt::format("{}{} ORDER BY `id` LIMIT {}", select_, among("`id`", chunk), limit));
        if (!rows) return std::unexpected(std::move(rows.error()));
        for (;;) {
            const auto more = rows->next();
            if (!more) return std::unexpected(more.error());
            if (!*more) break;
            const engine::Revision revision = revision_in(rows->value(0).value_or(""));
            const auto [entity, is_new] =
                known.try_emplace(identity_of(*rows, 1, entity_.columns().size()), changes.entities.size());
            if (is_new && changes.entities.size() == entities_max) return changes;
            if (is_new) changes.entities.push_back(entity_in(*rows, 1));
            if (is_new) changes.entities.back().first = revision;
            changes.rows.emplace_back(revision, entity->second);
            changes.covered_through = revision;
        }
        if (changes.rows.size() == rows_max) return changes;
        changes.covered_through = chunk.back().last;
    }
    return changes;
}

ChangedEntity OutboxChanges::entity_in(const ResultSet& row, std::size_t at) const {
    std::vector<std::string_view> values;
    for (std::size_t column = 0; column < is_integer_.size(); ++column) {
        const auto value = row.value(at + column);
        if (!value)
            return {.id = {},
                    .problem = Problem{"entity_null", fmt::format("the row names no entity: {} is NULL",
                                                                  entity_.columns()[column])}};
        values.push_back(is_integer_[column] ? without_leading_zeros(*value) : *value);
    }
    ChangedEntity entity{.id = entity_.id_of(values)};
    entity.problem = problem_with_entity(entity.id, columns_);
    if (!entity.problem && entity_.is_ambiguous(values))
        entity.problem = Problem{"entity_ambiguous",
                                 fmt::format("the values of {} contain the text that stands between them in "
                                             "pipeline.source.entity: another key would get the same id",
                                             columns_)};
    return entity;
}

}  // namespace pawl::source
