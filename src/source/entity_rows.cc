#include "source/entity_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "source/key_value.h"
#include "source/limits.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

// As a column of integers gives its values: no sign but "-", no leading zeros.
bool is_integer(std::string_view text) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    constexpr std::size_t digits_max = 20;
    if (digits.empty() || digits.size() > digits_max) return false;
    if (digits.front() == '0' && text.size() > 1) return false;
    return std::ranges::all_of(digits, [](char byte) { return byte >= '0' && byte <= '9'; });
}

}  // namespace

EntityRows::EntityRows(const Table& table, const config::Source& source) {
    const Column* const column = table.find(source.entity);
    const Key* const key = entity_key_of(table, source.entity, source.revision);
    PAWL_ASSERT(column != nullptr && key != nullptr);
    entity_ = identifier(column->name);
    is_number_ = column->kind == ColumnKind::integer || column->kind == ColumnKind::boolean;
    // What the column's character set does not have becomes "?", which finds no row of the same bytes.
    if (column->is_character && column->character_set != "utf8mb4") {
        literal_begin_ = "CONVERT(";
        literal_end_ = fmt::format(" USING {}) COLLATE {}", column->character_set, column->collation);
    }
    const std::string revision = identifier(source.revision);
    select_ = fmt::format("(SELECT {} FROM {} FORCE INDEX ({}) WHERE ", revision,
                          table_identifier(table.database, table.name), identifier(key->name));
    order_ = fmt::format(" ORDER BY {} DESC LIMIT 1)", revision);
}

std::string EntityRows::condition(const std::string& id) const {
    if (is_number_) return is_integer(id) ? fmt::format("{} = {}", entity_, id) : "FALSE";
    const std::string digits = to_hex(id);
    return fmt::format("{0} = {1}_utf8mb4 X'{2}'{3} AND CAST(CONVERT({0} USING utf8mb4) AS BINARY) = X'{2}'",
                       entity_, literal_begin_, digits, literal_end_);
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
