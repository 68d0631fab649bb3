// Every limit of the source, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pawl::source::limits {

inline constexpr std::size_t entity_bytes_max =
    512;  // Elasticsearch refuses a longer _id, and the whole bulk with it
inline constexpr std::size_t requests_queued_max = 64;  // of one pipeline; the engine asks for far fewer
inline constexpr std::size_t intervals_per_statement_max =
    200;  // keeps statements short and the optimizer on a range scan
inline constexpr std::size_t revisions_per_statement_max = 500;  // in an IN list
inline constexpr std::uint64_t drain_bytes_max =
    4ULL << 20;  // of an unwanted rest of a result; beyond, a new connection is cheaper
inline constexpr std::uint64_t row_bytes_kept_max =
    4ULL << 20;                                         // buffers that a larger row has grown are given back
inline constexpr std::uint64_t row_bytes_guess = 1024;  // before anything is known about a table's rows
inline constexpr std::uint32_t rows_per_statement_min = 16;   // however large the rows were
inline constexpr std::size_t listed_rows_max = 100'000;       // of one look into information_schema
inline constexpr std::size_t reason_bytes_max = 512;          // why a row makes no document
inline constexpr std::size_t server_message_bytes_max = 512;  // of MariaDB's own words inside ours

}  // namespace pawl::source::limits
