#include "source/key_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace pawl::source {
namespace {

bool is_number(const Column& column) {
    return column.kind == ColumnKind::integer || column.kind == ColumnKind::boolean ||
           column.kind == ColumnKind::decimal;
}

bool is_bytes(const Column& column) {
    return column.kind == ColumnKind::binary || column.kind == ColumnKind::bit ||
           column.kind == ColumnKind::bit_boolean;
}

bool compare_alike(const Column& left, const Column& right) {
    if (left.is_character || right.is_character)
        return left.is_character && right.is_character && left.collation == right.collation;
    return left.data_type == right.data_type || (is_number(left) && is_number(right));
}

std::string utf8_bytes(std::string_view name) {
    return fmt::format("CAST(CONVERT({} USING utf8mb4) AS BINARY)", name);
}

// `name`, a column of another type, as something that the key on `column` finds.
std::string converted_to(const Column& column, std::string_view name) {
    if (column.is_character)
        return fmt::format("CONVERT({} USING {}) COLLATE {}", name, column.character_set, column.collation);
    if (is_number(column))
        return fmt::format("CAST({} AS {})", name,
                           column.kind == ColumnKind::decimal ? "DECIMAL(65, 30)"
                           : is_unsigned(column)              ? "UNSIGNED"
                                                              : "SIGNED");
    if (is_bytes(column)) return fmt::format("CAST({} AS BINARY)", name);
    return std::string(name);
}

// As a column of integers gives its values: no sign but "-", no leading zeros.
bool is_integer(std::string_view text) {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    constexpr std::size_t digits_max = 20;
    if (digits.empty() || digits.size() > digits_max) return false;
    if (digits.front() == '0' && text.size() > 1) return false;
    return std::ranges::all_of(digits, [](char byte) { return byte >= '0' && byte <= '9'; });
}

}  // namespace

std::string same_value(const Column& present, std::string_view present_name, const Column& changed,
                       std::string_view changed_name) {
    if (!compare_alike(present, changed))
        return fmt::format("{} = {} AND {} = {}", present_name, converted_to(present, changed_name),
                           utf8_bytes(present_name), utf8_bytes(changed_name));
    std::string same = fmt::format("{} = {}", present_name, changed_name);
    if (!present.is_character) return same;
    return fmt::format("{} AND CAST({} AS BINARY) = CAST({} AS BINARY)", same, present_name, changed_name);
}

std::string raw_expression(const Column& column, std::string_view name) {
    return column.is_character ? fmt::format("CAST({} AS BINARY)", name) : std::string(name);
}

std::optional<std::string> literal(const Column& column, std::string_view raw) {
    if (is_number(column)) {
        const bool fits = !raw.empty() && std::ranges::all_of(raw, [](char byte) {
            return (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
        });
        return fits ? std::optional(std::string(raw)) : std::nullopt;
    }
    if (column.is_character)
        return fmt::format("_{} X'{}' COLLATE {}", column.character_set, to_hex(raw), column.collation);
    if (is_bytes(column)) return fmt::format("X'{}'", to_hex(raw));
    return text_literal(raw);
}

// What the column's character set does not have becomes "?", which has other bytes.
std::optional<std::string> literal_of_text(const Column& column, std::string_view text) {
    if (is_number(column)) return is_integer(text) ? std::optional(std::string(text)) : std::nullopt;
    if (column.is_character && column.character_set != "utf8mb4")
        return fmt::format("CONVERT({} USING {}) COLLATE {}", text_literal(text), column.character_set,
                           column.collation);
    return text_literal(text);
}

// Of a number the value decides: ZEROFILL would show it with zeros before it.
std::optional<std::string> has_text(const Column& column, std::string_view name, std::string_view text) {
    const auto literal = literal_of_text(column, text);
    if (!literal) return std::nullopt;
    if (is_number(column)) return fmt::format("{} = {}", name, *literal);
    return fmt::format("{} = {} AND {} = X'{}'", name, *literal, utf8_bytes(name), to_hex(text));
}

std::string text_literal(std::string_view text) {
    return fmt::format("_utf8mb4 X'{}'", to_hex(text));
}

std::string to_hex(std::string_view bytes) {
    std::string digits;
    digits.reserve(bytes.size() * 2);
    for (const char byte : bytes)
        fmt::format_to(std::back_inserter(digits), "{:02x}", static_cast<unsigned char>(byte));
    return digits;
}

std::optional<std::string> from_hex(std::string_view digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(digits.size() / 2);
    for (; !digits.empty(); digits.remove_prefix(2)) {
        unsigned char byte = 0;
        const auto parsed = std::from_chars(digits.data(), digits.data() + 2, byte, 16);
        if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + 2) return std::nullopt;
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

}  // namespace pawl::source
