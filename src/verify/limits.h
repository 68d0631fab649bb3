// Every limit of a comparison.
#pragma once

#include <cstddef>

namespace pawl::verify::limits {

inline constexpr unsigned bucket_bits = 20;
inline constexpr std::size_t buckets = std::size_t{1} << bucket_bits;  // 12 bytes each: 12 MiB

// Entities of differing buckets that are kept at a time, both sides together. With ids of 30 bytes some 10
// MB; with ids of 512 bytes 40.
inline constexpr std::size_t suspects_max = 50'000;
// Differences that are listed. With more of them a rebuild is quicker than a repair.
inline constexpr std::size_t differences_max = 10'000;

// A document that is nested deeper is compared byte for byte. The index refuses one long before.
inline constexpr unsigned json_depth_max = 200;

}  // namespace pawl::verify::limits
