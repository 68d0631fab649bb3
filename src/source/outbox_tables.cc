#include "source/outbox_tables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "source/outbox_sql.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

struct IntegerType {
    std::string_view data_type;
    int bytes;
};
constexpr std::array<IntegerType, 5> integer_types{
    {{"tinyint", 1}, {"smallint", 2}, {"mediumint", 3}, {"int", 4}, {"bigint", 8}}};

int integer_bytes(const Column& column) {
    const auto* const found = std::ranges::find(integer_types, column.data_type, &IntegerType::data_type);
    return found == integer_types.end() ? 0 : found->bytes;
}

// Of a CHAR or VARCHAR, in characters: "varchar(20)".
std::uint64_t length_of(const Column& column) {
    std::uint64_t length = 0;
    const auto begin = column.type.find('(');
    if (begin != std::string::npos)
        std::from_chars(column.type.data() + begin + 1, column.type.data() + column.type.size(), length);
    return length;
}

bool is_char(const Column& column) {
    return column.data_type == "char" || column.data_type == "varchar";
}

bool is_same_type(const Column& left, const Column& right) {
    return left.type == right.type && left.character_set == right.character_set;
}

// A unique key whose columns are all among the entity's.
bool is_unique(const Table& table, const config::EntityForm& entity) {
    const auto is_of_entity = [&](const KeyPart& part) {
        return !part.prefix_only && std::ranges::any_of(entity.columns, [&](const std::string& column) {
            return same_name(column, part.column);
        });
    };
    return std::ranges::any_of(table.keys, [&](const Key& key) {
        return key.unique && key.usable && std::ranges::all_of(key.parts, is_of_entity);
    });
}

void check_id(const Table& outbox, Findings& findings) {
    const std::string name = identifier(outbox_id);
    const std::string advice =
        fmt::format("{} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY is what an outbox needs", name);
    const Column* const id = outbox.find(outbox_id);
    if (id == nullptr)
        return findings.refuse(fmt::format("table {} has no column 'id'", outbox.full_name()), advice);
    const std::string where = fmt::format("table {}, column id", outbox.full_name());
    if (!can_be_revision(*id) || id->nullable || !id->auto_increment ||
        unique_key_of(outbox, id->name) == nullptr)
        findings.refuse(
            fmt::format("{}: an outbox's id must be an integer, NOT NULL, AUTO_INCREMENT and unique "
                        "by itself",
                        where),
            advice);
    else if (id->data_type != "bigint")
        findings.warn(fmt::format("{}: {} runs out of ids some day, and then every writer's statement fails",
                                  where, id->type),
                      fmt::format("ALTER TABLE {} MODIFY {} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT",
                                  table_identifier(outbox.database, outbox.name), name));
}

void check_outbox_column(const Table& outbox, const std::string& name, const Table& table, const Column& key,
                         Findings& findings) {
    const std::string type = outbox_column_type(key);
    const Column* const column = outbox.find(name);
    if (column == nullptr)
        return findings.refuse(
            fmt::format("table {} has no column '{}' for {}.{}", outbox.full_name(), name, table.name,
                        key.name),
            fmt::format("ALTER TABLE {} ADD {} {}", table_identifier(outbox.database, outbox.name),
                        identifier(name), type));
    if (is_same_type(*column, key) && column->collation == key.collation) return;
    const std::string differs =
        fmt::format("table {}, column {}: {} {}, but {}.{} is {} {}", outbox.full_name(), name, column->type,
                    column->collation, table.name, key.name, key.type, key.collation);
    const std::string advice =
        fmt::format("ALTER TABLE {} MODIFY {} {}", table_identifier(outbox.database, outbox.name),
                    identifier(name), type);
    if (!holds_all_of(*column, key))
        findings.refuse(differs + ": it does not hold every value", advice);
    else if (column->collation != key.collation)
        findings.refuse(differs + ": they cannot be compared by the table's key", advice);
    else
        findings.warn(differs, advice);
}

// Nothing, and a refusal, when it cannot be described.
Result<std::optional<Table>> look_at(Connection& connection, std::string_view database,
                                     const std::string& name, std::string_view setting, Findings& findings) {
    auto found = describe(connection, database, name);
    if (found) {
        check_table_type(*found, setting, findings);
        return std::optional(std::move(*found));
    }
    if (keeps_from_looking(found.error())) return std::unexpected(std::move(found.error()));
    if (found.error().kind == ErrorKind::invalid)
        found.error().advice = fmt::format("set {} to an existing table", setting);
    findings.refuse(std::move(found.error()));
    return std::optional<Table>();
}

}  // namespace

bool holds_all_of(const Column& into, const Column& from) {
    if (is_same_type(into, from)) return true;
    if (into.character_set != from.character_set) return false;
    const int into_bytes = integer_bytes(into);
    const int from_bytes = integer_bytes(from);
    if (into_bytes > 0 && from_bytes > 0) {
        if (is_unsigned(into) == is_unsigned(from)) return into_bytes >= from_bytes;
        return is_unsigned(from) && into_bytes > from_bytes;
    }
    return is_char(into) && into.data_type == from.data_type && length_of(into) >= length_of(from);
}

std::vector<Column> columns_of_key(const Table& table, const config::EntityForm& entity) {
    std::vector<Column> columns;
    for (const std::string& name : entity.columns)
        if (const Column* const column = table.find(name)) columns.push_back(*column);
    if (columns.size() != entity.columns.size()) columns.clear();
    return columns;
}

void check_entity_key(const Table& table, const config::Source& source, Findings& findings) {
    const config::EntityForm& entity = source.outbox->entity;
    bool complete = true;
    for (const std::string& name : entity.columns) {
        const Column* const column = column_named(table, "pipeline.source.entity", name, findings);
        complete = complete && column != nullptr;
        if (column == nullptr) continue;
        const std::string where = fmt::format("table {}, column {}", table.full_name(), column->name);
        if (!can_be_entity(*column))
            findings.refuse(fmt::format("{}: {} cannot be of an entity's id", where, column->type),
                            "set pipeline.source.entity to columns of a text type, an integer type or UUID");
        if (column->nullable)
            findings.refuse(fmt::format("{}: an entity's key must be NOT NULL", where),
                            "declare the column NOT NULL, or set pipeline.source.entity to another key");
    }
    if (complete && !is_unique(table, entity))
        findings.refuse(fmt::format("table {}: no PRIMARY or UNIQUE key is made of the columns of \"{}\"",
                                    table.full_name(), source.entity),
                        "set pipeline.source.entity to the columns of a unique key, all of them");
}

void check_joined_key(const Table& joined, const config::EntityForm& entity, const Table& table,
                      const config::Source& source, Findings& findings) {
    for (std::size_t at = 0; at < entity.columns.size(); ++at) {
        const Column* const column =
            column_named(joined, "pipeline.source.joined.entity", entity.columns[at], findings);
        const Column* const key = table.find(source.outbox->entity.columns[at]);
        if (column == nullptr || key == nullptr || holds_all_of(*key, *column)) continue;
        findings.refuse(
            fmt::format("table {}, column {}: {} {} does not always fit into {}.{}, which is {} {}: writers "
                        "to it would lose changes",
                        joined.full_name(), column->name, column->type, column->character_set, table.name,
                        key->name, key->type, key->character_set),
            "give both columns the same type and character set");
    }
}

void check_outbox_columns(const Table& outbox, const Table& table, const config::Source& source,
                          Findings& findings) {
    check_id(outbox, findings);
    const auto names = outbox_columns(source.outbox->entity);
    const auto key = columns_of_key(table, source.outbox->entity);
    for (std::size_t at = 0; at < key.size(); ++at)
        check_outbox_column(outbox, names[at], table, key[at], findings);
}

Result<OutboxTables> look_at_outbox_tables(Connection& connection, std::string_view database,
                                           const config::Source& source, Findings& findings) {
    OutboxTables tables;
    auto table = look_at(connection, database, source.table, "pipeline.source.table", findings);
    if (!table) return std::unexpected(std::move(table.error()));
    tables.table = std::move(*table);
    if (tables.table) check_entity_key(*tables.table, source, findings);
    for (const config::JoinedTable& each : source.outbox->joined) {
        auto joined = look_at(connection, database, each.table, "pipeline.source.joined.table", findings);
        if (!joined) return std::unexpected(std::move(joined.error()));
        if (*joined && tables.table) check_joined_key(**joined, each.entity, *tables.table, source, findings);
        tables.joined.push_back(std::move(*joined));
    }
    auto outbox = describe(connection, database, source.outbox->table);
    if (!outbox && outbox.error().kind == ErrorKind::invalid) return tables;
    if (!outbox && keeps_from_looking(outbox.error())) return std::unexpected(std::move(outbox.error()));
    if (!outbox) {
        tables.outbox_hidden = std::move(outbox.error());
        tables.outbox_hidden->advice = fmt::format(
            "GRANT SELECT, INSERT, DELETE ON {} TO the user that [mariadb] names, once "
            "`pawl outbox-sql` has been run",
            table_identifier(database, source.outbox->table));
        return tables;
    }
    check_table_type(*outbox, "pipeline.source.outbox", findings);
    if (tables.table) check_outbox_columns(*outbox, *tables.table, source, findings);
    tables.outbox = std::move(*outbox);
    return tables;
}

}  // namespace pawl::source
