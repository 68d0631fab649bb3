#include "config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "config/limits.h"
#include "journal/digest.h"

namespace pawl::config {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};
// Largest first, so that the shortest form is found first.
constexpr std::array<Unit, 4> duration_units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> size_units{
    {{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

// The number and the rest after it; empty when there is no number or it is too large.
std::optional<std::pair<std::uint64_t, std::string_view>> split_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    return std::pair{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

template <std::size_t N>
std::optional<std::uint64_t> parse_with(std::string_view text, const std::array<Unit, N>& units) {
    const auto split = split_number(text);
    if (!split) return std::nullopt;
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [&](const Unit& candidate) { return candidate.name == split->second; });
    if (unit == units.end()) return std::nullopt;
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    if (split->first > largest / unit->factor) return std::nullopt;
    return split->first * unit->factor;
}

template <std::size_t N>
std::string format_with(std::uint64_t number, const std::array<Unit, N>& units) {
    for (const Unit& unit : units)
        if (number != 0 && number % unit.factor == 0)
            return fmt::format("{}{}", number / unit.factor, unit.name);
    return fmt::format("{}{}", number, units.back().name);
}

bool is_port(std::string_view text) {
    const auto port = parse_integer(text);
    return port && *port >= limits::port_min && *port <= limits::port_max && is_digit(text.front());
}

// "host", "host:port", "[::1]", "[::1]:port"; `port` tells whether there is one.
bool is_authority(std::string_view text, bool& has_port) {
    has_port = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos || end == 1) return false;
        if (text.substr(1, end - 1).find_first_not_of("0123456789abcdefABCDEF:.") != text.npos) return false;
        if (end + 1 == text.size()) return true;
        has_port = text[end + 1] == ':' && is_port(text.substr(end + 2));
        return has_port;
    }
    const auto colon = text.find(':');
    const auto host = text.substr(0, colon);
    const auto allowed = [](char byte) {
        return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               byte == '.' || byte == '-' || byte == '_';
    };
    if (host.empty() || !std::all_of(host.begin(), host.end(), allowed)) return false;
    if (colon == text.npos) return true;
    has_port = is_port(text.substr(colon + 1));
    return has_port;
}

}  // namespace

std::optional<TimeMs> parse_duration(std::string_view text) {
    const auto span = parse_with(text, duration_units);
    if (!span) return std::nullopt;
    return static_cast<TimeMs>(*span);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    const auto split = split_number(text);
    if (split && split->second.empty()) return split->first;
    return parse_with(text, size_units);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string to_duration(TimeMs span) {
    return format_with(static_cast<std::uint64_t>(span), duration_units);
}

std::string to_size(std::uint64_t bytes) {
    return format_with(bytes, size_units);
}

std::string bounded_identifier(std::string_view name) {
    constexpr std::size_t digest_characters = 1 + 16;  // "_" and a digest
    std::size_t characters = 0;
    std::size_t cut_at = 0;  // in bytes
    for (std::size_t at = 0; at < name.size(); ++at) {
        const bool begins_character = (static_cast<unsigned char>(name[at]) & 0xC0) != 0x80;
        if (begins_character && characters++ == limits::identifier_characters_max - digest_characters)
            cut_at = at;
    }
    if (characters <= limits::identifier_characters_max) return std::string(name);
    return fmt::format("{}_{:016x}", name.substr(0, cut_at), journal::digest_of(name));
}

bool is_pipeline_name(std::string_view text) {
    const auto allowed = [](char byte) {
        return is_digit(byte) || (byte >= 'a' && byte <= 'z') || byte == '_' || byte == '-';
    };
    return !text.empty() && text.size() <= limits::name_bytes_max &&
           std::all_of(text.begin(), text.end(), allowed);
}

bool is_alias(std::string_view text) {
    const auto refused = [](char byte) {
        return static_cast<unsigned char>(byte) <= 0x20 || byte == 0x7f || (byte >= 'A' && byte <= 'Z') ||
               std::string_view("\\/*?\"<>|,#:").find(byte) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= limits::alias_bytes_max && text != "." && text != ".." &&
           std::string_view("-_+").find(text.front()) == std::string_view::npos &&
           std::none_of(text.begin(), text.end(), refused);
}

bool is_listen_address(std::string_view text) {
    bool has_port = false;
    return is_authority(text, has_port) && has_port;
}

bool is_server_url(std::string_view text) {
    std::string_view rest;
    if (text.starts_with("http://")) rest = text.substr(7);
    if (text.starts_with("https://")) rest = text.substr(8);
    const auto slash = rest.find('/');
    bool has_port = false;
    if (!is_authority(rest.substr(0, slash), has_port)) return false;
    if (slash == rest.npos) return true;
    const auto prefix = rest.substr(slash);
    return std::none_of(prefix.begin(), prefix.end(), [](char byte) {
        return static_cast<unsigned char>(byte) <= 0x20 || byte == 0x7f || byte == '?' || byte == '#';
    });
}

}  // namespace pawl::config
