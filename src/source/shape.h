// Which columns are read and where their values go: made once from the table and the config, used for every
// row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "source/body.h"
#include "source/table.h"

namespace pawl::source {

// A column's value in a row's cells.
struct Cell {
    std::size_t at = 0;
    ColumnKind kind = ColumnKind::text;
    std::string column;
};

struct FieldShape {
    std::string key;  // "\"name\":"
    Cell cell;
};

struct RowShape {
    std::vector<std::string> select;  // SELECT list, in the order of the cells
    Cell revision;
    Cell entity;
    std::optional<Cell> deleted;
    std::optional<Cell> body;
    std::vector<FieldShape> fields;
    std::string constants;  // "\"a\":1,\"b\":2"; empty for none
    AddedKeys added_keys;
    std::uint64_t document_bytes_max = 0;
};

// The columns that this pipeline reads must exist (source/check.h makes sure).
RowShape shape_of(const Table& table, const config::Pipeline& pipeline);

// field ← column, as configured; without a body also every column as a field of its own name.
std::vector<std::pair<std::string, std::string>> fields_of(const Table& table,
                                                           const config::Document& document);

}  // namespace pawl::source
