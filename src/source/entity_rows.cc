#include "source/entity_rows.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "source/key_value.h"
#include "source/limits.h"
#include "source/sql.h"

namespace pawl::source {
EntityRows::EntityRows(const Table& table, const config::Source& source) {
    const Column* const column = table.find(source.entity);
    const Key* const key = entity_key_of(table, source.entity, source.revision);
    PAWL_ASSERT(column != nullptr && key != nullptr);
    column_ = *column;
    entity_ = identifier(column->name);
    const std::string revision = identifier(source.revision);
    select_ = fmt::format("(SELECT {} FROM {} FORCE INDEX ({}) WHERE ", revision,
                          table_identifier(table.database, table.name), identifier(key->name));
    order_ = fmt::format(" ORDER BY {} DESC LIMIT 1)", revision);
}

std::string EntityRows::condition(const std::string& id) const {
    return has_text(column_, entity_, id).value_or("FALSE");
}

std::string EntityRows::statement(std::span<const std::string> ids) const {
    std::string text;
    for (std::size_t at = 0; at < ids.size(); ++at)
        fmt::format_to(std::back_inserter(text), "{}SELECT {}, {}{}{}", at == 0 ? "" : " UNION ALL ", at,
                       select_, condition(ids[at]), order_);
    return text;
}

Result<std::vector<std::optional<engine::Revision>>> EntityRows::latest(
    Connection& connection, std::span<const std::string> ids) const {
    PAWL_ASSERT(!ids.empty() && ids.size() <= limits::entities_per_statement_max);
    auto rows = connection.query(statement(ids));
    if (!rows) return std::unexpected(std::move(rows.error()));
    std::vector<std::optional<engine::Revision>> latest(ids.size());
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        const engine::Revision at = revision_in(rows->value(0).value_or(""));
        PAWL_ASSERT(at < latest.size());
        if (const auto revision = rows->value(1)) latest[at] = revision_in(*revision);
    }
    return latest;
}

}  // namespace pawl::source
