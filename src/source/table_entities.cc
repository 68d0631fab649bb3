#include "source/table_entities.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/assert.h"
#include "source/key_value.h"
#include "source/limits.h"
#include "source/present_rows.h"
#include "source/sql.h"

namespace pawl::source {

TableEntities::TableEntities(const OutboxLayout& layout, const RowShape& shape)
    : entity_(layout.entity), changes_(layout), key_(layout.key) {
    const std::string hint = layout.view ? "" : fmt::format(" FORCE INDEX ({})", identifier(layout.key_name));
    row_select_ = fmt::format("SELECT 0, {} FROM {} AS `present`{} WHERE ",
                              fmt::join(std::span(shape.select).subspan(1), ", "),
                              table_identifier(layout.present().database, layout.present().name), hint);
    std::vector<std::string> columns;
    columns.reserve(key_.size());
    for (const KeyColumn& column : key_)
        columns.push_back(identifier(column.outbox.name));
    for (const std::string& outbox : {layout.outbox_name(), layout.kept_from})
        if (!outbox.empty())
            pending_selects_.push_back(
                fmt::format("SELECT `id`, {0} FROM {1} FORCE INDEX (PRIMARY) WHERE ({0}) IN ",
                            fmt::join(columns, ", "), outbox));
}

Result<EntitiesNow> TableEntities::look_at(Connection& connection, std::span<const std::string> ids,
                                           DocumentBuilder& builder) const {
    PAWL_ASSERT(!ids.empty() && ids.size() <= limits::entities_per_statement_max);
    auto begun = connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    if (!begun) return std::unexpected(std::move(begun.error()));
    EntitiesNow now{.rows = {}, .pending = std::vector<std::vector<engine::Revision>>(ids.size())};
    for (const std::string& id : ids) {
        auto row = row_of(connection, id, builder, now.bytes);
        if (!row) return std::unexpected(std::move(row.error()));
        now.rows.push_back(*row);
    }
    if (auto found = find_pending(connection, ids, now); !found)
        return std::unexpected(std::move(found.error()));
    if (auto ended = connection.execute("COMMIT"); !ended) return std::unexpected(std::move(ended.error()));
    return now;
}

std::optional<std::string> TableEntities::row_statement(const std::string& id) const {
    const auto values = entity_.values_of(id);
    if (!values) return std::nullopt;
    std::vector<std::string> same;
    for (std::size_t at = 0; at < key_.size(); ++at) {
        auto condition = has_text(key_[at].present, present_column(key_[at].present), (*values)[at]);
        if (!condition) return std::nullopt;
        same.push_back(std::move(*condition));
    }
    return fmt::format("{}{} LIMIT 2", row_select_, fmt::join(same, " AND "));
}

Result<std::optional<engine::Row>> TableEntities::row_of(Connection& connection, const std::string& id,
                                                         DocumentBuilder& builder, engine::Page& page) const {
    std::optional<engine::Row> row;
    const auto statement = row_statement(id);
    if (!statement) return row;
    const auto failed = [&](const Error& error) -> Result<std::optional<engine::Row>> {
        if (!connection.value_is_to_blame()) return std::unexpected(error);
        return invalid_row(id, document_failed(error), page);
    };
    auto rows = connection.query(*statement);
    if (!rows) return failed(rows.error());
    for (;;) {
        const auto more = rows->next();
        if (!more) return failed(more.error());
        if (!*more) return row;
        row = row ? invalid_row(id, several_rows(), page)
                  : builder.row_of(id, {rows->values(), rows->lengths()}, page);
    }
}

// The key's values in the outbox, "(1, 'a')". Empty: its columns cannot hold them.
std::optional<std::string> TableEntities::outbox_key(const std::string& id) const {
    const auto values = entity_.values_of(id);
    if (!values) return std::nullopt;
    std::vector<std::string> literals;
    for (std::size_t at = 0; at < key_.size(); ++at) {
        auto literal = literal_of_text(key_[at].outbox, (*values)[at]);
        if (!literal) return std::nullopt;
        literals.push_back(std::move(*literal));
    }
    return fmt::format("({})", fmt::join(literals, ", "));
}

// Equal by the collation is not enough: 'a' and 'A' are two entities.
Result<void> TableEntities::find_pending(Connection& connection, std::span<const std::string> ids,
                                         EntitiesNow& now) const {
    std::unordered_map<std::string_view, std::size_t> places;
    std::vector<std::string> keys;
    for (std::size_t at = 0; at < ids.size(); ++at) {
        auto key = outbox_key(ids[at]);
        if (!key) continue;
        places.emplace(ids[at], at);
        keys.push_back(std::move(*key));
    }
    if (keys.empty()) return {};
    for (const std::string& select : pending_selects_)
        if (auto read = read_pending(
                connection, fmt::format("{}({}) ORDER BY `id`", select, fmt::join(keys, ", ")), places, now);
            !read)
            return read;
    return {};
}

Result<void> TableEntities::read_pending(Connection& connection, const std::string& statement,
                                         const std::unordered_map<std::string_view, std::size_t>& places,
                                         EntitiesNow& now) const {
    auto rows = connection.query(statement);
    if (!rows) return std::unexpected(std::move(rows.error()));
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) return {};
        const ChangedEntity entity = changes_.entity_in(*rows, 1);
        const auto place = places.find(entity.id);
        if (entity.problem || place == places.end()) continue;
        now.pending[place->second].push_back(revision_in(rows->value(0).value_or("")));
    }
}

}  // namespace pawl::source
