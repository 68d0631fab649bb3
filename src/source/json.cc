#include "source/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/assert.h"

namespace pawl::source {
namespace {

constexpr std::size_t escape_bytes_max = 6;  // \u0000
constexpr std::size_t number_bytes_max = 32;

char* append(std::string_view text, char* out) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

bool needs_escape(char byte) {
    return static_cast<unsigned char>(byte) < 0x20 || byte == '"' || byte == '\\';
}

char* write_escape(char byte, char* out) {
    constexpr std::string_view hex = "0123456789abcdef";
    switch (byte) {
        case '"':
            return append("\\\"", out);
        case '\\':
            return append("\\\\", out);
        case '\n':
            return append("\\n", out);
        case '\r':
            return append("\\r", out);
        case '\t':
            return append("\\t", out);
        default:
            out = append("\\u00", out);
            *out++ = hex[static_cast<unsigned char>(byte) >> 4];
            *out++ = hex[static_cast<unsigned char>(byte) & 15];
            return out;
    }
}

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

char* write_number(std::string_view value, char* out) {
    const std::string_view number = without_leading_zeros(value);
    return is_json_number(number) ? append(number, out) : write_json_string(value, out);
}

// `value` is the FLOAT spelled as a DOUBLE, "0.10000000149011612"; a person expects 0.1.
char* write_real32(std::string_view value, char* out) {
    double wide = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), wide);
    if (parsed.ec != std::errc{} || parsed.ptr != value.data() + value.size())
        return write_number(value, out);
    const auto narrow = static_cast<float>(wide);
    if (!std::isfinite(narrow)) return write_number(value, out);
    return std::to_chars(out, out + number_bytes_max, narrow).ptr;
}

char* write_boolean(std::string_view value, char* out) {
    if (value == "0") return append("false", out);
    if (value == "1") return append("true", out);
    return write_number(value, out);
}

std::uint64_t bits_of(std::string_view value) {
    std::uint64_t bits = 0;
    for (const char byte : value)
        bits = (bits << 8) | static_cast<unsigned char>(byte);
    return bits;
}

char* write_set(std::string_view value, char* out) {
    *out++ = '[';
    while (!value.empty()) {
        const std::size_t comma = std::min(value.find(','), value.size());
        out = write_json_string(value.substr(0, comma), out);
        value.remove_prefix(std::min(comma + 1, value.size()));
        if (!value.empty()) *out++ = ',';
    }
    *out++ = ']';
    return out;
}

char* write_base64(std::string_view bytes, char* out) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    *out++ = '"';
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i)
            group = (group << 8) | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        *out++ = alphabet[(group >> 18) & 63];
        *out++ = alphabet[(group >> 12) & 63];
        *out++ = count > 1 ? alphabet[(group >> 6) & 63] : '=';
        *out++ = count > 2 ? alphabet[group & 63] : '=';
    }
    *out++ = '"';
    return out;
}

// "2026-11-24 02:15:04.123" → "2026-11-24T02:15:04.123Z"
char* write_time(std::string_view value, bool with_time, bool with_zone, char* out) {
    if (value.starts_with("0000-00-00")) return append("null", out);
    char* const begin = out;
    out = write_json_string(value, out);
    constexpr std::size_t separator = 11;  // after the quote and "2026-11-24"
    if (!with_time || value.size() <= separator || begin[separator] != ' ') return out;
    begin[separator] = 'T';
    if (with_zone) {
        out[-1] = 'Z';
        *out++ = '"';
    }
    return out;
}

}  // namespace

std::size_t json_bytes_max(ColumnKind kind, std::size_t value_bytes) {
    switch (kind) {
        case ColumnKind::binary:
            return 2 + (value_bytes + 2) / 3 * 4;
        case ColumnKind::set:
            return 4 + escape_bytes_max * value_bytes + 3 * value_bytes;
        default:
            return number_bytes_max + escape_bytes_max * value_bytes;
    }
}

char* write_json(ColumnKind kind, std::string_view value, char* out) {
    switch (kind) {
        case ColumnKind::integer:
        case ColumnKind::decimal:
        case ColumnKind::real64:
            return write_number(value, out);
        case ColumnKind::real32:
            return write_real32(value, out);
        case ColumnKind::boolean:
            return write_boolean(value, out);
        case ColumnKind::text:
            return write_json_string(value, out);
        case ColumnKind::set:
            return write_set(value, out);
        case ColumnKind::binary:
            return write_base64(value, out);
        case ColumnKind::bit:
            return std::to_chars(out, out + number_bytes_max, bits_of(value)).ptr;
        case ColumnKind::bit_boolean:
            return append(bits_of(value) != 0 ? "true" : "false", out);
        case ColumnKind::timestamp:
            return write_time(value, true, true, out);
        case ColumnKind::datetime:
            return write_time(value, true, false, out);
        case ColumnKind::date:
            return write_time(value, false, false, out);
        case ColumnKind::json:
        case ColumnKind::unsupported:
            break;
    }
    PAWL_ASSERT(!"a kind that has no spelling of its own");
    return out;
}

char* write_json_string(std::string_view text, char* out) {
    *out++ = '"';
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const char* const special = std::find_if(at, end, needs_escape);
        out = append({at, static_cast<std::size_t>(special - at)}, out);
        at = special;
        if (at != end) out = write_escape(*at++, out);
    }
    *out++ = '"';
    return out;
}

std::string json_string(std::string_view text) {
    std::string buffer(json_bytes_max(ColumnKind::text, text.size()), '\0');
    buffer.resize(static_cast<std::size_t>(write_json_string(text, buffer.data()) - buffer.data()));
    return buffer;
}

std::string_view cut(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80)
        --bytes_max;
    return text.substr(0, bytes_max);
}

std::string_view without_leading_zeros(std::string_view digits) {
    std::size_t zeros = 0;
    while (zeros + 1 < digits.size() && digits[zeros] == '0' && is_digit(digits[zeros + 1]))
        ++zeros;
    return digits.substr(zeros);
}

bool is_json_number(std::string_view text) {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    const auto digits = [&] {
        const std::size_t from = at;
        while (at < text.size() && is_digit(text[at]))
            ++at;
        return at > from;
    };
    const bool leading_zero = at + 1 < text.size() && text[at] == '0' && is_digit(text[at + 1]);
    if (leading_zero || !digits()) return false;
    if (at < text.size() && text[at] == '.') {
        ++at;
        if (!digits()) return false;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (!digits()) return false;
    }
    return at == text.size();
}

bool is_true(ColumnKind kind, std::string_view value) {
    if (kind == ColumnKind::bit || kind == ColumnKind::bit_boolean) return bits_of(value) != 0;
    return std::ranges::any_of(value, [](char byte) { return byte >= '1' && byte <= '9'; });
}

}  // namespace pawl::source
