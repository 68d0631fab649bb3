#include "journal/interval_set.h"

#include <set>

#include <rapidcheck.h>
#include <catch2/catch.hpp>

using namespace pawl::journal;

namespace {

using Members = std::set<Revision>;

// Small revisions in short intervals, so that everything meets.
std::vector<Interval> some_intervals() {
    const auto count = *rc::gen::inRange(0, 20);
    std::vector<Interval> intervals;
    for (int i = 0; i < count; ++i) {
        const auto first = *rc::gen::inRange<Revision>(1, 80);
        intervals.push_back({first, first + *rc::gen::inRange<Revision>(0, 6)});
    }
    return intervals;
}

Members members_of(const std::vector<Interval>& intervals) {
    Members members;
    for (const Interval& interval : intervals)
        for (Revision revision = interval.first; revision <= interval.last; ++revision)
            members.insert(revision);
    return members;
}

void check_equal(const IntervalSet& set, const Members& members) {
    RC_ASSERT(members_of(set.intervals()) == members);
    RC_ASSERT(set.count() == members.size());
    for (std::size_t i = 1; i < set.intervals().size(); ++i)
        RC_ASSERT(set.intervals()[i - 1].last + 1 < set.intervals()[i].first);
    for (Revision revision = 0; revision < 90; ++revision)
        RC_ASSERT(set.contains(revision) == members.contains(revision));
}

}  // namespace

TEST_CASE("an interval set is a set of revisions") {
    REQUIRE(rc::check("built, inserted one by one and inserted as a whole", [] {
        const auto intervals = some_intervals();
        const Members members = members_of(intervals);
        check_equal(IntervalSet(intervals), members);
        IntervalSet one_by_one;
        for (const Interval& interval : intervals)
            one_by_one.insert(interval);
        check_equal(one_by_one, members);
        const auto more = some_intervals();
        one_by_one.insert(IntervalSet(more));
        Members all = members;
        all.merge(members_of(more));
        check_equal(one_by_one, all);
    }));
    REQUIRE(rc::check("less another one", [] {
        const auto intervals = some_intervals();
        const auto removed = some_intervals();
        IntervalSet set(intervals);
        set.erase(IntervalSet(removed));
        Members members = members_of(intervals);
        for (const Revision revision : members_of(removed))
            members.erase(revision);
        check_equal(set, members);
    }));
}

TEST_CASE("merging keeps every member, the limit, and adds no more than it must") {
    REQUIRE(rc::check("merge_down_to", [] {
        const auto intervals = some_intervals();
        const IntervalSet before(intervals);
        const auto intervals_max = *rc::gen::inRange<std::size_t>(1, 12);
        IntervalSet after = before;
        after.merge_down_to(intervals_max);
        RC_ASSERT(after.intervals().size() == std::min(before.intervals().size(), intervals_max));
        IntervalSet lost = before;
        lost.erase(after);
        RC_ASSERT(lost.empty());
        if (!before.empty())
            RC_ASSERT(after.lowest() == before.lowest() && after.highest() == before.highest());
    }));
}
