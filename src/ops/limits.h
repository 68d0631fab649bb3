// Every limit of the daemon.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace pawl::ops::limits {

// After SIGTERM, requests under way may finish for so long; what is still open then is INTENT in the journal.
inline constexpr TimeMs stop_grace_ms = 4'000;
// How long the loop sleeps at most: how late an operator's request is seen.
inline constexpr TimeMs loop_wait_ms = 500;
// How often it is looked how far a pipeline has come.
inline constexpr TimeMs progress_look_interval_ms = 1'000;
// How often progress is written into the log.
inline constexpr TimeMs progress_interval_ms = 5'000;
// Where nothing was done for so long, the rate is that since it goes on.
inline constexpr TimeMs progress_standstill_ms = 60'000;
// A rebuild catches up again where it took longer than this, but not for ever behind busy writers.
inline constexpr TimeMs catch_up_short_ms = 5'000;
inline constexpr int catch_up_rounds_max = 10;
// In outbox mode: until the daemon that feeds the pipeline has taken the new index up, which it looks for
// every checkpoint_interval, and how often that is looked at.
inline constexpr TimeMs take_up_wait_ms = 300'000;
inline constexpr TimeMs take_up_look_pause_ms = 500;
// An operator's request (`pawl quarantine retry` beside a running daemon).
inline constexpr std::size_t operator_request_bytes_max = 16U << 20;
inline constexpr std::size_t operator_requests_max = 1'000;
inline constexpr std::uint64_t repair_revisions_max = 10'000;  // of one request

// `pawl verify` and the verifications of a daemon.
inline constexpr std::uint32_t verify_page_rows = 10'000;       // of the history, at a time
inline constexpr std::uint64_t verify_page_bytes = 4ULL << 20;  // of documents in them
inline constexpr std::size_t verify_chunk = 100;                // entities looked at exactly, at a time
inline constexpr int verify_looks_max = 5;  // at what changed meanwhile and may still be on its way
// A daemon's verification rests after each page so many times as long as the page took: it uses a fifth of
// the time, and so of what it costs the servers.
inline constexpr TimeMs verify_rest_factor = 4;
inline constexpr TimeMs verify_rest_max_ms = 10'000;
// How often a daemon looks whether an index that it has adopted can be verified by now.
inline constexpr TimeMs adoption_look_ms = 1'000;
inline constexpr std::uintmax_t verify_record_bytes_max = 64U << 10;
inline constexpr TimeMs repair_wait_ms = 60'000;       // until what was sent again agrees
inline constexpr TimeMs repair_look_pause_ms = 500;    // between two looks at it
inline constexpr TimeMs verify_look_pause_ms = 1'000;  // between them

}  // namespace pawl::ops::limits
