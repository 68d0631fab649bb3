// A set of revisions kept as sorted, disjoint, non-adjacent intervals. How batches and gaps name revisions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pawl::journal {

// A history row's id, or an outbox row's id: 1 … revision_max. 0 means "before the first".
// Elasticsearch takes external versions of 0 … 2^63-1, MariaDB's BIGINT UNSIGNED ids go higher: those are
// refused.
using Revision = std::uint64_t;
inline constexpr Revision revision_max = (Revision{1} << 63) - 1;

struct Interval {
    Revision first = 0;
    Revision last = 0;  // inclusive, >= first
    bool operator==(const Interval&) const = default;
};

class IntervalSet {
  public:
    IntervalSet() = default;
    // Any order, overlaps allowed.
    explicit IntervalSet(const std::vector<Interval>& intervals);

    // Cheap when revisions come in rising order.
    void insert(Revision revision) { insert(Interval{revision, revision}); }
    void insert(Interval interval);
    void insert(const IntervalSet& other);
    void erase(const IntervalSet& other);
    void erase_through(Revision revision);  // what is not above it
    void erase_above(Revision revision);

    bool empty() const { return intervals_.empty(); }
    bool contains(Revision revision) const;
    // How many revisions; saturates at the largest number.
    std::uint64_t count() const;
    // The lowest and highest member; the set must not be empty.
    Revision lowest() const;
    Revision highest() const;
    const std::vector<Interval>& intervals() const { return intervals_; }

    // Joins neighbours with the smallest distance until at most `intervals_max` (>= 1) are left. The result
    // covers all of the former set and possibly more: fit for gaps (looked at again in vain), not for
    // batches.
    void merge_down_to(std::size_t intervals_max);

    bool operator==(const IntervalSet&) const = default;

  private:
    std::vector<Interval> intervals_;
};

}  // namespace pawl::journal
