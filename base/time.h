// Time as pawl counts it: milliseconds since 1970-01-01T00:00:00Z, or a span in milliseconds.
#pragma once

#include <cstdint>
#include <string>

namespace pawl {

using TimeMs = std::int64_t;

// "2026-11-24T02:15:04.123Z"; any value is accepted.
std::string to_iso8601(TimeMs time);

}  // namespace pawl
