// A column's value as MariaDB's text protocol gives it → JSON text. Pure; see docs/column-types.md.
//
// Writers append to memory that the caller has made large enough, and return the end of what they wrote.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "source/column.h"

namespace pawl::source {

// How many bytes write_json may need for a value of this kind and size; a bound, not the outcome.
std::size_t json_bytes_max(ColumnKind kind, std::size_t value_bytes);

// Any kind but json and unsupported. `value` must be valid UTF-8, but for binary and bit. Zero dates
// ("0000-00-00…") are null; what does not look as MariaDB spells this kind becomes a string, so that the
// outcome is always JSON.
char* write_json(ColumnKind kind, std::string_view value, char* out);

// A JSON string: quotes, and escapes where JSON demands them.
char* write_json_string(std::string_view text, char* out);
std::string json_string(std::string_view text);

// The beginning of a valid UTF-8 text, at most so many bytes, that does not end within a character.
std::string_view cut(std::string_view text, std::size_t bytes_max);

// An unsigned or negative integer without leading zeros ("00042" → "42"), as ZEROFILL columns need it.
std::string_view without_leading_zeros(std::string_view digits);

// Whether JSON takes this text as a number.
bool is_json_number(std::string_view text);

// Whether the value of a `deleted` column (integer, TINYINT(1) or BIT) says that the row deletes its entity.
bool is_true(ColumnKind kind, std::string_view value);

}  // namespace pawl::source
