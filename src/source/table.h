// Facts about a table, from information_schema and from a look at the table itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source/column.h"
#include "source/connection.h"

namespace pawl::source {

struct KeyPart {
    std::string column;
    bool prefix_only = false;  // of the column's values
};

struct Key {
    std::string name;
    bool unique = false;
    bool usable = true;  // a B-tree that the optimizer may use
    std::vector<KeyPart> parts;
};

struct Table {
    std::string database;
    std::string name;
    std::string type;                  // "BASE TABLE", "VIEW", …
    std::string engine;                // "InnoDB"
    std::uint64_t row_bytes_mean = 0;  // the storage engine's estimate; 0: unknown
    std::uint64_t rows_estimate = 0;
    std::vector<Column> columns;  // in the table's order
    std::vector<Key> keys;

    // Null when there is none. Names compare as MariaDB compares them for ASCII: without case.
    const Column* find(std::string_view column) const;
    // "karp.lex"
    std::string full_name() const { return database + "." + name; }
};

// Errors: invalid when there is no such database or table, forbidden when the user may read none of it.
Result<Table> describe(Connection& connection, std::string_view database, std::string_view table);

// Whether there is such a table or view, as far as the user may see it.
Result<bool> is_there(Connection& connection, std::string_view database, std::string_view table);

// The names of the database's tables, sorted.
Result<std::vector<std::string>> table_names(Connection& connection, std::string_view database);

// The key that is unique by this column alone; the primary key comes first. Null when there is none.
const Key* unique_key_of(const Table& table, std::string_view column);

// The key by which one entity's latest row is found: it begins with `entity`; one that goes on with
// `revision` (as every secondary key does when revision is the primary key) comes before others. Null when
// there is none.
const Key* entity_key_of(const Table& table, std::string_view entity, std::string_view revision);

bool same_name(std::string_view left, std::string_view right);

// Up to three of `names` that `name` may have been meant to be, nearest first.
std::vector<std::string> near_names(std::string_view name, const std::vector<std::string>& names);

}  // namespace pawl::source
