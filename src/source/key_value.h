// SQL text about the values of key columns. Pure.
//
// A value goes from one statement to another as it lies in the table, in the column's own character set and
// without a conversion: `raw_expression` selects it so, `literal` makes a constant of it that compares by the
// column's own collation and key.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/column.h"

namespace pawl::source {

// What is true where the value of column `present` is byte for byte that of `changed`, and is found by the
// key on `present`. The columns are what `present_name` and `changed_name` (SQL text) name; they may have
// different types where an application has made the outbox.
std::string same_value(const Column& present, std::string_view present_name, const Column& changed,
                       std::string_view changed_name);

// `name` is SQL text.
std::string raw_expression(const Column& column, std::string_view name);

// Empty: this is no value of the column.
std::optional<std::string> literal(const Column& column, std::string_view raw);

// A constant that the key on the column finds, of the column's value as text in UTF-8: of an id that comes
// from outside. It may find values that are merely equal by the collation: see has_text. Empty: no value of
// the column has this text.
std::optional<std::string> literal_of_text(const Column& column, std::string_view text);

// What is true where the column's value, which `name` (SQL text) names, is this text, byte for byte; found by
// the key on the column. Empty as above.
std::optional<std::string> has_text(const Column& column, std::string_view name, std::string_view text);

// 'text' of any bytes that are valid UTF-8, or not, whatever the session's settings: "_utf8mb4 X'6162'".
std::string text_literal(std::string_view text);

std::string to_hex(std::string_view bytes);
// Empty: these are not pairs of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view digits);

}  // namespace pawl::source
