#include "verify/buckets.h"

#include "verify/limits.h"

namespace pawl::verify {

Buckets::Buckets() : sums_(limits::buckets), counts_(limits::buckets) {}

void Buckets::add(std::size_t bucket, std::uint64_t fingerprint) {
    sums_[bucket] += fingerprint;
    ++counts_[bucket];
}

void Buckets::take_away(std::size_t bucket, std::uint64_t fingerprint) {
    sums_[bucket] -= fingerprint;
    --counts_[bucket];
}

std::size_t Buckets::differing() const {
    std::size_t count = 0;
    for (std::size_t bucket = 0; bucket < limits::buckets; ++bucket)
        if (differs(bucket)) ++count;
    return count;
}

std::size_t Buckets::next_differing(std::size_t from) const {
    while (from < limits::buckets && !differs(from))
        ++from;
    return from;
}

}  // namespace pawl::verify
