// What the targets hold pawl's output against. JSON is judged by nlohmann-json where pawl itself uses
// simdjson.
#pragma once

#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace pawl::fuzz {

bool is_utf8(std::string_view text);

// Below 0x20, or 0x7f: what must reach no log, journal or terminal.
bool has_control_characters(std::string_view text);

// The value, or nothing when this is no JSON in UTF-8. Numbers that no double holds are made shorter first,
// since JSON allows them and the judge does not.
std::optional<nlohmann::json> json_in(std::string_view text);

// Whether an object of it, on any level, has a key twice: parsers differ in which of the two they see.
bool has_a_key_twice(std::string_view json);

}  // namespace pawl::fuzz
