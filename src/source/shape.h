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
    std::string origin;  // outbox mode: what else the documents are made of
    std::uint64_t document_bytes_max = 0;
    bool has_document = true;
};

// The columns that this pipeline reads must exist (source/check.h makes sure).
RowShape shape_of(const Table& table, const config::Pipeline& pipeline);

// Whose state it is and which, without any document: for those who compare revisions. Large columns are not
// even read.
RowShape identity_shape_of(const Table& table, const config::Pipeline& pipeline);

// Outbox mode: of rows of the table or view that documents are read from, which the statement calls
// `present`. The revision stands before them. The entity's cell is the key's first column: NULL where there
// is no row.
RowShape present_shape_of(const Table& present, const config::Pipeline& pipeline);

// Of all that decides what becomes of a row: never 0.
std::uint64_t digest_of(const RowShape& shape);
// Of a row's cells, as journal::Anchor has it: the upper half is of revision and entity. NULL and lengths are
// told apart, so that no two rows are alike by where their cells end.
std::uint64_t digest_of(const RowShape& shape, char* const* values, const unsigned long* lengths);

// field ← column, as configured; without a body also every column as a field of its own name.
std::vector<std::pair<std::string, std::string>> fields_of(const Table& table,
                                                           const config::Document& document);

}  // namespace pawl::source
