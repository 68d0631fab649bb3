// Two sets of entities, compared in memory that does not grow with them: what one side holds is added to its
// bucket, what the other holds is taken away. A bucket that is zero at the end held the same on both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pawl::verify {

// Sums and counts wrap around, so that neither the order nor the number of entities matters. That a bucket
// looks equal and is not takes two different sums of fingerprints that agree in 64 bits.
class Buckets {
  public:
    Buckets();

    void add(std::size_t bucket, std::uint64_t fingerprint);        // of the history
    void take_away(std::size_t bucket, std::uint64_t fingerprint);  // of the index

    bool differs(std::size_t bucket) const { return sums_[bucket] != 0 || counts_[bucket] != 0; }
    std::size_t differing() const;  // how many
    // The first one at or above `from` that differs; limits::buckets when there is none.
    std::size_t next_differing(std::size_t from) const;

  private:
    std::vector<std::uint64_t> sums_;
    std::vector<std::uint32_t> counts_;
};

}  // namespace pawl::verify
