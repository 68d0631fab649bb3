// Every limit of the engine. Those in `Limits` can be set per pipeline ([pipeline.limits]), but for
// give_up_after_ms; the others cannot.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace pawl::engine {

struct Limits {
    std::uint32_t batch_rows_max = 2'000;  // history rows read into one batch
    std::uint64_t batch_bytes_max = 4ULL
                                    << 20;  // bytes of documents in one batch; one larger document goes alone
    std::uint32_t batches_open_max = 4;     // INTENT or APPLIED at a time; the reader waits beyond
    std::uint32_t requests_in_flight_max = 2;  // bulk requests on their way at a time
    std::uint32_t quarantine_max = 10'000;     // entities; beyond, the pipeline stops
    std::uint32_t gaps_max = 10'000;           // intervals; beyond, neighbours are merged
    TimeMs poll_interval_ms = 500;             // between two looks at a history that is caught up with
    TimeMs checkpoint_interval_ms = 30'000;    // between two looks at what the index remembers
    TimeMs gap_grace_ms = 3'600'000;           // without a proof, a revision missing for so long is given up
    TimeMs retry_delay_min_ms = 200;           // first back-off; doubles up to the maximum
    TimeMs retry_delay_max_ms = 30'000;
    TimeMs give_up_after_ms = 60'000;  // not of `run`: so long without any success ends it
};

namespace limits {

inline constexpr std::size_t page_chunk_bytes = 1ULL << 20;  // one allocation of a page
inline constexpr std::size_t request_actions_min = 1;
inline constexpr std::uint32_t requests_before_growth = 16;  // without a 413 or 429, then their size doubles
inline constexpr TimeMs forbidden_retry_ms = 60'000;         // 401, 403: retry slowly
inline constexpr TimeMs notice_interval_ms = 60'000;         // the same trouble is told once in this time
// Rows of an outbox that one transaction deletes, but at least those of one batch (a page's: at most
// source::limits::outbox_rows_per_entity for each entity). The others are left for the next clean-up.
inline constexpr std::uint64_t clean_up_rows_max = 20'000;
inline constexpr std::size_t owed_max = 100;              // revisions that a checkpoint lists as missing
inline constexpr std::size_t look_up_versions_max = 200;  // unknown versions asked about at a time
// The lease is asked for, or confirmed, so often; a confirmation that was asked for longer ago than
// lease_valid_ms counts no more: so it holds without a break where an answer takes half as long. MariaDB
// gives up a connection that has been silent for lease_silence_ms: then another pawl may have it.
inline constexpr TimeMs lease_renew_ms = 1'000;
inline constexpr TimeMs lease_valid_ms = 4'000;
inline constexpr TimeMs lease_silence_ms = 5'000;
static_assert(2 * lease_renew_ms <= lease_valid_ms && lease_valid_ms < lease_silence_ms);
// `sync` and `recover` wait so long for a lease that another pawl holds: a killed one may not be gone yet.
inline constexpr TimeMs lease_wait_ms = 2 * lease_silence_ms;
inline constexpr TimeMs grace_marks_max = 16;              // how finely gap_grace is measured
inline constexpr std::size_t quarantine_notices_max = 10;  // log lines of one batch; the others are counted
// A batch whose rows were read longer ago than gc_deletes divided by this is read again before it is sent.
inline constexpr TimeMs stale_divisor = 2;
// But never sooner than this: with a gc_deletes of next to nothing every batch would be stale for ever.
inline constexpr TimeMs stale_after_min_ms = 1'000;

}  // namespace limits
}  // namespace pawl::engine
