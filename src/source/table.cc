#include "source/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/edit_distance.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

constexpr std::size_t near_names_max = 3;

char lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

std::string in_lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), lower);
    return text;
}

std::uint64_t number_of(const std::optional<std::string>& text) {
    std::uint64_t number = 0;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

Result<void> read_columns(Connection& connection, Table& table) {
    const auto rows = connection.rows(
        fmt::format("SELECT COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, EXTRA, CHARACTER_SET_NAME, "
                    "COLLATION_NAME "
                    "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} "
                    "ORDER BY ORDINAL_POSITION",
                    connection.quoted(table.database), connection.quoted(table.name)));
    if (!rows) return std::unexpected(rows.error());
    for (const auto& row : *rows) {
        Column column;
        column.name = row[0].value_or("");
        column.type = row[1].value_or("");
        column.data_type = row[2].value_or("");
        column.kind = kind_of(column.data_type, column.type);
        column.nullable = row[3] != "NO";
        column.auto_increment = row[4].value_or("").find("auto_increment") != std::string::npos;
        column.is_character = row[5].has_value();
        column.character_set = row[5].value_or("");
        column.collation = row[6].value_or("");
        table.columns.push_back(std::move(column));
    }
    return {};
}

Result<void> read_keys(Connection& connection, Table& table) {
    const auto rows = connection.rows(
        fmt::format("SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, INDEX_TYPE, IGNORED "
                    "FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} "
                    "ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX",
                    connection.quoted(table.database), connection.quoted(table.name)));
    if (!rows) return std::unexpected(rows.error());
    for (const auto& row : *rows) {
        const std::string name = row[0].value_or("");
        if (table.keys.empty() || table.keys.back().name != name) {
            const bool usable = row[4] == "BTREE" && row[5] != "YES";
            table.keys.push_back({.name = name, .unique = row[1] == "0", .usable = usable, .parts = {}});
        }
        table.keys.back().parts.push_back({.column = row[2].value_or(""), .prefix_only = row[3].has_value()});
    }
    return {};
}

// JSON is LONGTEXT with a CHECK; the result's metadata tell it also to users who may not see constraints. A
// column that may not be selected stays as it is here: the check of privileges names it.
Result<void> mark_json(Connection& connection, Table& table) {
    for (Column& column : table.columns) {
        if (!can_be_body(column)) continue;
        auto result = connection.query(fmt::format("SELECT {} FROM {} LIMIT 0", identifier(column.name),
                                                   table_identifier(table.database, table.name)));
        if (!result && result.error().kind == ErrorKind::forbidden) continue;
        if (!result) return std::unexpected(std::move(result.error()));
        if (result->is_json(0)) column.kind = ColumnKind::json;
        if (auto end = result->next(); !end) return std::unexpected(std::move(end.error()));
    }
    return {};
}

// Why information_schema shows nothing: the table's own error tells a missing table from a missing privilege.
Error why_unseen(Connection& connection, const Table& table) {
    const auto result = connection.query(
        fmt::format("SELECT 1 FROM {} LIMIT 0", table_identifier(table.database, table.name)));
    if (!result && result.error().kind == ErrorKind::forbidden)
        return {ErrorKind::forbidden, result.error().message, result.error().advice};
    if (!result && result.error().kind != ErrorKind::invalid) return result.error();
    std::string advice = "set pipeline.source.table to an existing table";
    if (const auto names = table_names(connection, table.database)) {
        const auto near = near_names(table.name, *names);
        if (!near.empty()) advice += fmt::format(", such as {}", fmt::join(near, ", "));
    }
    return {ErrorKind::invalid, fmt::format("there is no table {}", table.full_name()), advice};
}

}  // namespace

bool same_name(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, lower, lower);
}

const Column* Table::find(std::string_view column) const {
    const auto found = std::ranges::find_if(
        columns, [&](const Column& candidate) { return same_name(candidate.name, column); });
    return found == columns.end() ? nullptr : &*found;
}

Result<Table> describe(Connection& connection, std::string_view database, std::string_view table_name) {
    Table table;
    table.database = database;
    table.name = table_name;
    const auto rows = connection.rows(
        fmt::format("SELECT TABLE_TYPE, ENGINE, AVG_ROW_LENGTH, TABLE_ROWS FROM information_schema.TABLES "
                    "WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
                    connection.quoted(database), connection.quoted(table_name)));
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::unexpected(why_unseen(connection, table));
    table.type = rows->front()[0].value_or("");
    table.engine = rows->front()[1].value_or("");
    table.row_bytes_mean = number_of(rows->front()[2]);
    table.rows_estimate = number_of(rows->front()[3]);
    if (auto done = read_columns(connection, table); !done) return std::unexpected(std::move(done.error()));
    if (auto done = read_keys(connection, table); !done) return std::unexpected(std::move(done.error()));
    if (auto done = mark_json(connection, table); !done) return std::unexpected(std::move(done.error()));
    return table;
}

Result<bool> is_there(Connection& connection, std::string_view database, std::string_view table) {
    const auto found = connection.rows(
        fmt::format("SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
                    connection.quoted(database), connection.quoted(table)));
    if (!found) return std::unexpected(found.error());
    return !found->empty();
}

Result<std::vector<std::string>> table_names(Connection& connection, std::string_view database) {
    const auto rows =
        connection.rows(fmt::format("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                                    "{} AND TABLE_TYPE = 'BASE TABLE' "
                                    "ORDER BY TABLE_NAME",
                                    connection.quoted(database)));
    if (!rows) return std::unexpected(rows.error());
    std::vector<std::string> names;
    for (const auto& row : *rows)
        names.push_back(row[0].value_or(""));
    return names;
}

const Key* unique_key_of(const Table& table, std::string_view column) {
    const auto found = std::ranges::find_if(table.keys, [&](const Key& key) {
        return key.unique && key.usable && key.parts.size() == 1 && !key.parts[0].prefix_only &&
               same_name(key.parts[0].column, column);
    });
    return found == table.keys.end() ? nullptr : &*found;
}

const Key* entity_key_of(const Table& table, std::string_view entity, std::string_view revision) {
    const Key* best = nullptr;
    int best_rank = 0;
    const bool revision_is_primary = !table.keys.empty() && table.keys[0].name == "PRIMARY" &&
                                     table.keys[0].parts.size() == 1 &&
                                     same_name(table.keys[0].parts[0].column, revision);
    for (const Key& key : table.keys) {
        if (!key.usable || !same_name(key.parts[0].column, entity)) continue;
        // A secondary key of InnoDB ends with the primary key, so (entity) alone is (entity, revision) there.
        const bool goes_on =
            key.parts.size() > 1 ? same_name(key.parts[1].column, revision) : revision_is_primary;
        const int rank = key.parts[0].prefix_only ? 1 : (goes_on ? 3 : 2);
        if (rank > best_rank) {
            best = &key;
            best_rank = rank;
        }
    }
    return best;
}

std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& names) {
    std::vector<std::pair<std::size_t, std::string>> ranked;
    for (const auto& candidate : names) {
        const std::size_t distance =
            edit_distance(in_lower_case(std::string(name)), in_lower_case(candidate));
        if (distance <= std::max<std::size_t>(2, name.size() / 2)) ranked.emplace_back(distance, candidate);
    }
    std::ranges::sort(ranked);
    std::vector<std::string> near;
    for (const auto& [distance, candidate] : ranked)
        if (near.size() < near_names_max) near.push_back(candidate);
    return near;
}

}  // namespace pawl::source
