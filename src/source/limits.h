// Every limit of the source, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace pawl::source::limits {

inline constexpr std::size_t entity_bytes_max =
    512;  // Elasticsearch refuses a longer _id, and the whole bulk with it
inline constexpr std::size_t requests_queued_max = 64;  // of one pipeline; the engine asks for far fewer
inline constexpr std::size_t intervals_per_statement_max =
    200;  // keeps statements short and the optimizer on a range scan
inline constexpr std::size_t revisions_per_statement_max = 500;  // in an IN list
// Outbox mode: rows of the outbox that one page stands for, whose entities may be far fewer. For each entity
// that it may hold, but not below the second number.
inline constexpr std::uint64_t outbox_rows_per_entity = 8;
inline constexpr std::uint64_t outbox_rows_min = 4096;
inline constexpr unsigned clean_up_wait_s = 1;  // for any lock: nobody else should hold one that it needs
inline constexpr std::size_t entities_per_statement_max = 100;  // each a look-up of its own in a UNION
inline constexpr std::uint64_t drain_bytes_max =
    4ULL << 20;  // of an unwanted rest of a result; beyond, a new connection is cheaper
inline constexpr std::uint64_t row_bytes_kept_max =
    4ULL << 20;                                         // buffers that a larger row has grown are given back
inline constexpr std::uint64_t row_bytes_guess = 1024;  // before anything is known about a table's rows
inline constexpr std::uint32_t rows_per_statement_min = 16;   // however large the rows were
inline constexpr std::size_t listed_rows_max = 100'000;       // of one look into information_schema
inline constexpr std::size_t reason_bytes_max = 512;          // why a row makes no document
inline constexpr std::size_t server_message_bytes_max = 512;  // of MariaDB's own words inside ours

// Revisions that a fill looks up at a time: two bits each, 16 MiB together, and twice that while two
// connections scan. A longer history is scanned once for each window.
inline constexpr std::uint64_t fill_window = 64ULL << 20;
inline constexpr std::uint64_t fill_split_min = 100'000;  // shorter ones are scanned by one connection
inline constexpr std::uint64_t fill_samples = 15;         // rows, to find an entity in the middle
// For each statement of the lease: a confirmation that takes longer than
// engine::limits::lease_valid_ms is worth nothing.
inline constexpr TimeMs lease_timeout_ms = 4'000;
// For transactions that use a table which a trigger is made on or taken from. Other writers wait behind it.
inline constexpr unsigned trigger_lock_wait_s = 10;
inline constexpr std::size_t lease_alias_bytes_max = 40;   // of the alias in the lock's name
inline constexpr std::size_t lease_outbox_bytes_max = 35;  // of the outbox in its lock's name

}  // namespace pawl::source::limits
