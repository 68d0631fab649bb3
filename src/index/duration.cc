#include "index/duration.h"

#include <array>
#include <charconv>
#include <limits>

namespace pawl::index {
namespace {

struct Unit {
    std::string_view name;
    TimeMs multiplied;
    TimeMs divided;
};

constexpr std::array<Unit, 7> units{{
    {"nanos", 1, 1'000'000},
    {"micros", 1, 1'000},
    {"ms", 1, 1},
    {"s", 1'000, 1},
    {"m", 60'000, 1},
    {"h", 3'600'000, 1},
    {"d", 86'400'000, 1},
}};

}  // namespace

std::optional<TimeMs> duration_ms(std::string_view text) {
    TimeMs number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return {};
    const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (name.empty() && (number == 0 || number == -1)) return number;
    for (const auto& unit : units) {
        if (unit.name != name) continue;
        if (number < 0 || number > std::numeric_limits<TimeMs>::max() / unit.multiplied) return {};
        return number * unit.multiplied / unit.divided;
    }
    return {};
}

}  // namespace pawl::index
