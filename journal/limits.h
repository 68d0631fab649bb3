// Every limit of the journal, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pawl::journal::limits {

inline constexpr std::size_t pipeline_name_bytes_max = 64;
inline constexpr std::size_t entity_bytes_max =
    1024;  // longer ids are cut in quarantine; a digest tells them apart
inline constexpr std::size_t incident_label_bytes_max = 16;
inline constexpr std::size_t incident_text_bytes_max = 300;  // longer ones are cut
inline constexpr std::size_t reason_bytes_max = 1024;        // longer reasons are cut
inline constexpr std::size_t identity_bytes_max = 512;       // database, table, alias, index, uuid: each
inline constexpr std::size_t position_bytes_max = 8192;      // of the first fill in its table's key
inline constexpr std::size_t anchors_max = 16;               // per pipeline
inline constexpr std::size_t incidents_kept_max = 8;         // per pipeline; the oldest go
inline constexpr std::size_t intervals_max = 1'000'000;      // per record, when decoding
inline constexpr std::size_t committed_kept_max = 200;       // per pipeline, for `pawl dump` to show
inline constexpr std::uint64_t map_bytes_initial = 8ULL << 20;
inline constexpr std::uint64_t map_bytes_max = 1ULL << 30;  // default; [journal] size_max
inline constexpr unsigned readers_max = 126;
inline constexpr std::size_t damages_max = 1000;  // listed; more are not worth a list

}  // namespace pawl::journal::limits
