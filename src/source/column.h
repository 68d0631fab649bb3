// A column of a table as MariaDB describes it, and which kind of JSON value it becomes
// (docs/column-types.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl::source {

enum class ColumnKind : std::uint8_t {
    integer,      // number
    boolean,      // TINYINT(1): true, false
    decimal,      // number, digit by digit
    real32,       // FLOAT: the shortest number that is the same FLOAT
    real64,       // DOUBLE: the shortest number that is the same DOUBLE
    text,         // string
    json,         // embedded as it is
    set,          // list of strings
    binary,       // string, base64
    bit,          // number
    bit_boolean,  // BIT(1): true, false
    timestamp,    // string, ISO 8601 in UTC with Z
    datetime,     // string, ISO 8601 without zone
    date,         // string
    unsupported,  // GEOMETRY and what is not known
};

struct Column {
    std::string name;
    std::string type;       // in full: "int(10) unsigned zerofill"
    std::string data_type;  // "int"
    ColumnKind kind = ColumnKind::unsupported;
    bool nullable = true;
    bool auto_increment = false;
    bool is_character = false;  // has a character set: its values compare by a collation
    std::string character_set = {};
    std::string collation = {};
    bool operator==(const Column&) const = default;
};

// From information_schema.COLUMNS.DATA_TYPE and COLUMN_TYPE. JSON cannot be told from LONGTEXT there: it says
// text.
ColumnKind kind_of(std::string_view data_type, std::string_view column_type);

// Kinds that can be a revision, an entity's id, a mark of deletion, a body.
bool can_be_revision(const Column& column);
bool can_be_entity(const Column& column);
bool can_be_deleted(const Column& column);
bool can_be_body(const Column& column);

bool is_unsigned(const Column& column);

// What stands in the SELECT list for this column: MariaDB prints a FLOAT with 6 digits only, as a DOUBLE with
// all. `of` names the table when a statement reads several.
std::string select_expression(const Column& column, std::string_view of = {});

}  // namespace pawl::source
