#include "journal/interval_set.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/assert.h"

namespace pawl::journal {
namespace {

// True when nothing, not even adjacency, connects the two; `left` must not begin after `right`.
bool apart(const Interval& left, const Interval& right) {
    return left.last < right.first && right.first - left.last > 1;
}

bool starts_before(const Interval& left, const Interval& right) {
    return left.first < right.first;
}

// Sorted by first, any overlaps → disjoint and non-adjacent.
std::vector<Interval> joined(const std::vector<Interval>& sorted) {
    std::vector<Interval> result;
    for (const Interval& interval : sorted) {
        if (result.empty() || apart(result.back(), interval))
            result.push_back(interval);
        else
            result.back().last = std::max(result.back().last, interval.last);
    }
    return result;
}

}  // namespace

IntervalSet::IntervalSet(const std::vector<Interval>& intervals) {
    std::vector<Interval> sorted = intervals;
    for (const Interval& interval : sorted)
        PAWL_ASSERT(interval.first <= interval.last);
    std::sort(sorted.begin(), sorted.end(), starts_before);
    intervals_ = joined(sorted);
}

void IntervalSet::insert(Interval interval) {
    PAWL_ASSERT(interval.first <= interval.last);
    if (intervals_.empty() ||
        (starts_before(intervals_.back(), interval) && apart(intervals_.back(), interval))) {
        intervals_.push_back(interval);
        return;
    }
    // The ones that touch `interval` are [begin, end): all become one.
    const auto begin = std::partition_point(
        intervals_.begin(), intervals_.end(),
        [&](const Interval& present) { return present.first < interval.first && apart(present, interval); });
    const auto end = std::partition_point(begin, intervals_.end(), [&](const Interval& present) {
        return present.first <= interval.first || !apart(interval, present);
    });
    if (begin == end) {
        intervals_.insert(begin, interval);
        return;
    }
    begin->first = std::min(begin->first, interval.first);
    begin->last = std::max(std::prev(end)->last, interval.last);
    intervals_.erase(std::next(begin), end);
}

void IntervalSet::insert(const IntervalSet& other) {
    if (other.intervals_.size() == 1) {
        insert(other.intervals_.front());
        return;
    }
    std::vector<Interval> merged;
    merged.reserve(intervals_.size() + other.intervals_.size());
    std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(), other.intervals_.end(),
               std::back_inserter(merged), starts_before);
    intervals_ = joined(merged);
}

void IntervalSet::erase(const IntervalSet& other) {
    std::vector<Interval> left;
    auto hole = other.intervals_.begin();
    for (Interval interval : intervals_) {
        while (hole != other.intervals_.end() && hole->last < interval.first)
            ++hole;
        bool gone = false;
        for (auto cut = hole; cut != other.intervals_.end() && cut->first <= interval.last; ++cut) {
            if (cut->first > interval.first) left.push_back({interval.first, cut->first - 1});
            gone = cut->last >= interval.last;
            if (gone) break;
            interval.first = cut->last + 1;
            hole = cut;
        }
        if (!gone) left.push_back(interval);
    }
    intervals_ = std::move(left);
}

void IntervalSet::erase_through(Revision revision) {
    erase(IntervalSet({Interval{0, revision}}));
}

void IntervalSet::erase_above(Revision revision) {
    if (!empty() && highest() > revision) erase(IntervalSet({Interval{revision + 1, highest()}}));
}

bool IntervalSet::contains(Revision revision) const {
    const auto after =
        std::partition_point(intervals_.begin(), intervals_.end(),
                             [&](const Interval& interval) { return interval.first <= revision; });
    return after != intervals_.begin() && std::prev(after)->last >= revision;
}

std::uint64_t IntervalSet::count() const {
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t sum = 0;
    for (const Interval& interval : intervals_) {
        const std::uint64_t beyond_first = interval.last - interval.first;
        if (beyond_first >= largest - sum) return largest;
        sum += beyond_first + 1;
    }
    return sum;
}

Revision IntervalSet::lowest() const {
    PAWL_ASSERT(!empty());
    return intervals_.front().first;
}

Revision IntervalSet::highest() const {
    PAWL_ASSERT(!empty());
    return intervals_.back().last;
}

void IntervalSet::merge_down_to(std::size_t intervals_max) {
    PAWL_ASSERT(intervals_max >= 1);
    if (intervals_.size() <= intervals_max) return;
    const std::size_t joins = intervals_.size() - intervals_max;

    // Which of the holes (hole i lies before interval i) are the `joins` smallest; of equal ones the lowest.
    std::vector<std::size_t> holes(intervals_.size() - 1);
    for (std::size_t i = 0; i < holes.size(); ++i)
        holes[i] = i + 1;
    const auto width = [&](std::size_t hole) { return intervals_[hole].first - intervals_[hole - 1].last; };
    const auto chosen_end = holes.begin() + static_cast<std::ptrdiff_t>(joins);
    std::nth_element(holes.begin(), chosen_end - 1, holes.end(), [&](std::size_t left, std::size_t right) {
        return width(left) != width(right) ? width(left) < width(right) : left < right;
    });
    std::vector<bool> closes(intervals_.size(), false);
    for (auto hole = holes.begin(); hole != chosen_end; ++hole)
        closes[*hole] = true;

    std::vector<Interval> left;
    left.reserve(intervals_max);
    for (std::size_t i = 0; i < intervals_.size(); ++i) {
        if (closes[i])
            left.back().last = intervals_[i].last;
        else
            left.push_back(intervals_[i]);
    }
    intervals_ = std::move(left);
}

}  // namespace pawl::journal
