// Time spans as Elasticsearch writes them.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace pawl::index {

// "60s", "1h", "500ms", "2d", "10m", "1000micros", "7nanos", "0", "-1" → milliseconds, rounded down; nullopt
// for anything else.
std::optional<TimeMs> duration_ms(std::string_view text);

}  // namespace pawl::index
