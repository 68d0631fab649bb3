// Time as pawl counts it: milliseconds since 1970-01-01T00:00:00Z, or a span in milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

using TimeMs = std::int64_t;

// The process's clock: the wall clock's time at start plus what CLOCK_BOOTTIME has counted since. It never
// goes back and it counts suspended time, so that ages computed from it are never too low. Any thread.
TimeMs clock_now();

// "2026-11-24T02:15:04.123Z"; any value is accepted.
std::string to_iso8601(TimeMs time);
// The other way; empty for anything that to_iso8601 does not write of a year with four digits.
std::optional<TimeMs> from_iso8601(std::string_view text);

}  // namespace pawl
