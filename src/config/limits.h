// The range of every setting that is a number, and how much is read of the files that a config names.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace pawl::config::limits {

inline constexpr std::size_t config_bytes_max = 1 << 20;
inline constexpr std::size_t create_bytes_max = 4 << 20;
inline constexpr std::size_t secret_bytes_max = 4 << 10;

inline constexpr std::size_t pipelines_max = 64;
inline constexpr std::size_t urls_max = 32;
inline constexpr std::size_t fields_max = 1'000;      // of fields and constants, per pipeline
inline constexpr std::size_t text_bytes_max = 1'024;  // of a string that is a host, a user, a column, …
inline constexpr std::size_t name_bytes_max = 64;     // of a pipeline, as in the journal
inline constexpr std::size_t alias_bytes_max = 200;   // Elasticsearch's 255 less the time that pawl appends
inline constexpr std::size_t column_bytes_max = 256;  // MariaDB: 64 characters of up to 4 bytes
inline constexpr std::size_t identifier_characters_max = 64;  // MariaDB's
inline constexpr std::size_t entity_columns_max = 16;         // MariaDB: 32 columns in a key
inline constexpr std::size_t joined_max = 32;                 // tables, per pipeline

inline constexpr std::size_t shown_value_bytes_max = 120;      // of what was found, in a message
inline constexpr std::size_t shown_key_bytes_max = 256;        // of a key's whole path
inline constexpr std::size_t shown_problem_bytes_max = 1'536;  // of all that is said after the key

inline constexpr std::uint64_t journal_bytes_min = 16ULL << 20;
inline constexpr std::uint64_t journal_bytes_max = 1ULL << 40;

inline constexpr std::int64_t port_min = 1;
inline constexpr std::int64_t port_max = 65'535;
inline constexpr TimeMs connect_timeout_min_ms = 100;
inline constexpr TimeMs connect_timeout_max_ms = 300'000;
inline constexpr TimeMs read_timeout_min_ms = 1'000;
inline constexpr TimeMs read_timeout_max_ms = 3'600'000;
inline constexpr TimeMs request_timeout_min_ms = 100;
// The index lowers it further: no request may outlive half of gc_deletes.
inline constexpr TimeMs request_timeout_max_ms = 600'000;

inline constexpr std::int64_t lease_pipelines_min = 1;
inline constexpr std::int64_t lease_pipelines_max = pipelines_max;
inline constexpr TimeMs verify_interval_min_ms = 1'000;
inline constexpr TimeMs verify_interval_max_ms = 90LL * 24 * 3'600'000;

inline constexpr std::int64_t batch_documents_min = 1;
inline constexpr std::int64_t batch_documents_max = 100'000;
inline constexpr std::uint64_t batch_bytes_min = 64ULL << 10;
inline constexpr std::uint64_t batch_bytes_max = 64ULL << 20;  // Elasticsearch takes 100 MB a request
inline constexpr std::int64_t batches_open_min = 1;
inline constexpr std::int64_t batches_open_max = 64;
inline constexpr std::int64_t requests_in_flight_min = 1;
inline constexpr std::int64_t requests_in_flight_max = 32;
inline constexpr std::int64_t quarantine_min = 1;
inline constexpr std::int64_t quarantine_max = 1'000'000;
inline constexpr std::int64_t gaps_min = 1;
inline constexpr std::int64_t gaps_max = 1'000'000;
inline constexpr std::uint64_t document_bytes_min = 1ULL << 10;
inline constexpr std::uint64_t document_bytes_max = 64ULL << 20;
inline constexpr TimeMs poll_interval_min_ms = 10;
inline constexpr TimeMs poll_interval_max_ms = 3'600'000;
inline constexpr TimeMs checkpoint_interval_min_ms = 100;
inline constexpr TimeMs checkpoint_interval_max_ms = 86'400'000;
inline constexpr TimeMs gap_grace_min_ms = 1'000;
inline constexpr TimeMs gap_grace_max_ms = 30LL * 24 * 3'600'000;
inline constexpr TimeMs retry_delay_smallest_ms = 10;
inline constexpr TimeMs retry_delay_largest_ms = 3'600'000;

}  // namespace pawl::config::limits
