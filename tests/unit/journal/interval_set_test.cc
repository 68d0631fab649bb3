#include "journal/interval_set.h"

#include <catch2/catch.hpp>

#include "tests/unit/journal/support.h"

using namespace pawl::journal;

namespace {
std::vector<Interval> of(const IntervalSet& set) {
    return set.intervals();
}
}  // namespace

TEST_CASE("intervals in any order become sorted, disjoint and non-adjacent") {
    const IntervalSet set({{7, 9}, {1, 2}, {3, 3}, {8, 12}, {20, 20}});
    CHECK(of(set) == std::vector<Interval>{{1, 3}, {7, 12}, {20, 20}});
    CHECK(set.count() == 10);
    CHECK(set.lowest() == 1);
    CHECK(set.highest() == 20);
}

TEST_CASE("rising revisions grow the last interval") {
    IntervalSet set;
    for (Revision revision = 5; revision <= 8; ++revision)
        set.insert(revision);
    set.insert(10);
    CHECK(of(set) == std::vector<Interval>{{5, 8}, {10, 10}});
    set.insert(9);
    CHECK(of(set) == std::vector<Interval>{{5, 10}});
}

TEST_CASE("an interval swallows all that it touches") {
    IntervalSet set({{1, 2}, {4, 5}, {7, 8}, {20, 30}});
    set.insert(Interval{3, 10});
    CHECK(of(set) == std::vector<Interval>{{1, 10}, {20, 30}});
    set.insert(Interval{15, 15});
    CHECK(of(set) == std::vector<Interval>{{1, 10}, {15, 15}, {20, 30}});
    set.insert(Interval{0, 40});
    CHECK(of(set) == std::vector<Interval>{{0, 40}});
}

TEST_CASE("a late revision closes only its part of a gap") {
    IntervalSet gap({{10, 20}});
    gap.erase(IntervalSet({{14, 15}}));
    CHECK(of(gap) == std::vector<Interval>{{10, 13}, {16, 20}});
    gap.erase(IntervalSet({{1, 10}, {13, 16}, {20, 99}}));
    CHECK(of(gap) == std::vector<Interval>{{11, 12}, {17, 19}});
    gap.erase(IntervalSet({{11, 19}}));
    CHECK(gap.empty());
}

TEST_CASE("what is not above a revision, and what is, can be left out") {
    IntervalSet set({{0, 3}, {7, 9}});
    set.erase_above(9);
    CHECK(of(set) == std::vector<Interval>{{0, 3}, {7, 9}});
    set.erase_above(8);
    CHECK(of(set) == std::vector<Interval>{{0, 3}, {7, 8}});
    set.erase_through(1);
    CHECK(of(set) == std::vector<Interval>{{2, 3}, {7, 8}});
    set.erase_above(5);
    CHECK(of(set) == std::vector<Interval>{{2, 3}});
    set.erase_through(revision_max);
    CHECK(set.empty());
    set.erase_above(0);
    CHECK(set.empty());
}

TEST_CASE("the ends of the number range are no special place") {
    constexpr auto largest = ~Revision{0};
    IntervalSet set({{0, 0}, {largest, largest}});
    CHECK(set.contains(0));
    CHECK(set.contains(largest));
    CHECK_FALSE(set.contains(1));
    set.insert(Interval{0, largest});
    CHECK(of(set) == std::vector<Interval>{{0, largest}});
    CHECK(set.count() == largest);  // saturated
    set.erase(IntervalSet({{0, largest}}));
    CHECK(set.empty());
}

TEST_CASE("merging closes the smallest holes first and loses nothing") {
    IntervalSet set({{1, 1}, {3, 3}, {100, 100}, {104, 104}, {1'000, 1'000}});
    set.merge_down_to(3);
    CHECK(of(set) == std::vector<Interval>{{1, 3}, {100, 104}, {1'000, 1'000}});
    set.merge_down_to(1);
    CHECK(of(set) == std::vector<Interval>{{1, 1'000}});
    set.merge_down_to(1);
    CHECK(of(set) == std::vector<Interval>{{1, 1'000}});
}

TEST_CASE("an interval that ends before it begins is a bug and aborts") {
    CHECK(test::aborts([] { IntervalSet().insert(Interval{2, 1}); }));
    CHECK(test::aborts([] { (void)IntervalSet().lowest(); }));
}
