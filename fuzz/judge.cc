#include "fuzz/judge.h"

#include <set>
#include <string>
#include <vector>

namespace pawl::fuzz {
namespace {

using nlohmann::json;

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

// Outside strings: one digit of every exponent, 30 of every other run. What is no number stays none.
std::string with_short_numbers(std::string_view text) {
    constexpr std::size_t digits_max = 30;
    std::string shorter;
    bool in_string = false;
    std::size_t at = 0;
    while (at < text.size()) {
        const char byte = text[at];
        if (!in_string && is_digit(byte)) {
            std::size_t end = at;
            while (end < text.size() && is_digit(text[end]))
                ++end;
            const std::size_t sign =
                !shorter.empty() && (shorter.back() == '+' || shorter.back() == '-') ? 1 : 0;
            const bool in_exponent =
                shorter.size() > sign && (shorter[shorter.size() - sign - 1] | 0x20) == 'e';
            shorter += text.substr(at, std::min(end - at, in_exponent ? 1 : digits_max));
            at = end;
            continue;
        }
        if (in_string && byte == '\\' && at + 1 < text.size())
            shorter += text[at++];
        else if (byte == '"')
            in_string = !in_string;
        shorter += text[at++];
    }
    return shorter;
}

}  // namespace

bool is_utf8(std::string_view text) {
    try {
        static_cast<void>(json(text).dump());
        return true;
    } catch (const json::exception&) {
        return false;
    }
}

bool has_control_characters(std::string_view text) {
    for (const char byte : text)
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return true;
    return false;
}

std::optional<json> json_in(std::string_view text) {
    auto value = json::parse(with_short_numbers(text), nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
}

bool has_a_key_twice(std::string_view text) {
    std::vector<std::set<std::string>> open;
    bool twice = false;
    const auto look = [&](int, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::object_start) open.emplace_back();
        if (event == json::parse_event_t::object_end) open.pop_back();
        if (event == json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
            twice = true;
        return true;
    };
    static_cast<void>(json::parse(with_short_numbers(text), look, false));
    return twice;
}

}  // namespace pawl::fuzz
