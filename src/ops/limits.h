// Every limit of the daemon.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace pawl::ops::limits {

// After SIGTERM, requests under way may finish for so long; what is still open then is INTENT in the journal.
inline constexpr TimeMs stop_grace_ms = 4'000;
// How long the loop sleeps at most: how late an operator's request is seen.
inline constexpr TimeMs loop_wait_ms = 500;
// An operator's request (`pawl quarantine retry` beside a running daemon).
inline constexpr std::size_t operator_request_bytes_max = 16U << 20;
inline constexpr std::size_t operator_requests_max = 1'000;

}  // namespace pawl::ops::limits
