#include "source/latest.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/assert.h"
#include "source/limits.h"
#include "source/sql.h"

namespace pawl::source {
LatestFinder::LatestFinder(const Table& table, const config::Source& source)
    : revision_(identifier(source.revision)) {
    const Column* const column = table.find(source.entity);
    const Key* const revision_key = unique_key_of(table, source.revision);
    const Key* const entity_key = entity_key_of(table, source.entity, source.revision);
    PAWL_ASSERT(column != nullptr && revision_key != nullptr && entity_key != nullptr);
    const std::string name = table_identifier(table.database, table.name);
    const std::string entity = identifier(column->name);
    const auto bytes = [&](std::string_view text) {
        return column->is_character ? fmt::format("CAST({} AS BINARY)", text) : std::string(text);
    };
    const std::string same_bytes =
        column->is_character ? fmt::format(" AND {} = {}", bytes("later." + entity), bytes("asked." + entity))
                             : std::string{};
    identities_select_ = fmt::format("SELECT {}, {} FROM {} FORCE INDEX ({}) WHERE ", revision_,
                                     bytes(entity), name, identifier(revision_key->name));
    latest_select_ = fmt::format(
        "SELECT asked.{0}, (SELECT later.{0} FROM {1} AS later FORCE INDEX ({2}) WHERE later.{3} = "
        "asked.{3}{4} "
        "ORDER BY later.{0} DESC LIMIT 1) FROM {1} AS asked FORCE INDEX ({5}) WHERE ",
        revision_, name, identifier(entity_key->name), entity, same_bytes, identifier(revision_key->name));
}

Result<LatestFinder::Asked> LatestFinder::entities_among(Connection& connection,
                                                         const engine::IntervalSet& revisions,
                                                         std::uint64_t rows_max) const {
    Asked asked;
    std::unordered_set<std::string> known;
    std::span<const engine::Interval> left = revisions.intervals();
    while (!left.empty()) {
        const auto chunk = left.first(std::min(left.size(), limits::intervals_per_statement_max));
        left = left.subspan(chunk.size());
        auto rows = connection.query(fmt::format("{}{} ORDER BY {} LIMIT {}", identities_select_,
                                                 among(revision_, chunk), revision_,
                                                 rows_max - asked.revisions.size()));
        if (!rows) return std::unexpected(std::move(rows.error()));
        for (;;) {
            const auto more = rows->next();
            if (!more) return std::unexpected(more.error());
            if (!*more) break;
            const engine::Revision revision = revision_in(rows->value(0).value_or(""));
            asked.revisions.push_back(revision);
            if (known.emplace(rows->value(1).value_or("")).second)
                asked.entities.push_back({.first = revision});
        }
        if (asked.revisions.size() == rows_max) {
            asked.covered_through = asked.revisions.back();
            return asked;
        }
        asked.covered_through = chunk.back().last;
    }
    return asked;
}

Result<void> LatestFinder::find(Connection& connection, std::span<Entity> entities) const {
    PAWL_ASSERT(!entities.empty() && entities.size() <= limits::revisions_per_statement_max);
    std::vector<engine::Revision> first_rows;
    for (const Entity& entity : entities)
        first_rows.push_back(entity.first);
    auto rows = connection.query(find_statement(first_rows));
    if (!rows) return std::unexpected(std::move(rows.error()));
    std::size_t found = 0;
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        const engine::Revision first = revision_in(rows->value(0).value_or(""));
        const auto entity = std::ranges::lower_bound(entities, first, {}, &Entity::first);
        PAWL_ASSERT(entity != entities.end() && entity->first == first);
        entity->latest = revision_in(rows->value(1).value_or(""));
        PAWL_ASSERT(entity->latest >= first);
        ++found;
    }
    if (found != entities.size())
        return fail(ErrorKind::unavailable,
                    fmt::format("{}: rows went away within one snapshot of the history", connection.place()));
    return {};
}

std::string LatestFinder::find_statement(std::span<const engine::Revision> rows) const {
    return latest_select_ + among("asked." + revision_, rows);
}

}  // namespace pawl::source
