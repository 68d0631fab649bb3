#include "engine/reading.h"

#include <catch2/catch.hpp>

#include "tests/unit/engine/rows.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

using Works = std::map<BatchId, BatchWork>;
constexpr TimeMs now = 1'000'000;

// high 9, gaps 2, 3 and 7, no open batch.
Ledger with_gaps() {
    Changes changes;
    Ledger ledger("lex", std::nullopt);
    ledger.begin({.target = {}, .at = 1}, changes);
    const IntervalSet seen = revisions({1, 4, 5, 6, 8, 9});
    const BatchId batch = ledger.open({seen, {}, {}}, {.rows = 6}, 100, 2, changes);
    ledger.apply(batch, {}, 3, changes);
    return ledger;
}

void quarantine(Ledger& ledger, const std::string& entity, Revision revision) {
    Changes changes;
    const BatchId batch = ledger.open({revisions({revision}), {}, {}}, {.rows = 1}, 100, 2, changes);
    BatchResult result;
    result.outcome.quarantined = 1;
    result.quarantined.push_back(entry_of(entity, revision));
    ledger.apply(batch, result, 3, changes);
}

std::shared_ptr<Page> page_at(std::shared_ptr<Page> page, TimeMs at) {
    page->read_at = at;
    return page;
}

Reading::Asked next(const Reading& reading, const Ledger& ledger, const Works& works = {}, bool room = true,
                    bool tail_due = true, TimeMs at = now) {
    const auto asked = reading.next(ledger, works, room, tail_due, at);
    REQUIRE(asked);
    return *asked;
}

}  // namespace

TEST_CASE("an open batch's rows come first, then retries from quarantine, then gaps, then the tail") {
    Reading reading{Limits{}};
    Ledger ledger = with_gaps();
    quarantine(ledger, "a", 5);
    Changes changes;
    ledger.request_retry({}, changes);
    Works works;
    works.emplace(4, BatchWork("lex", revisions({6})));

    auto asked = next(reading, ledger, works);
    CHECK(asked.purpose == Reading::Purpose::batch);
    CHECK(asked.batch == 4);
    CHECK(asked.request.revisions == revisions({6}));
    CHECK(asked.request.latest);
    works.clear();

    asked = next(reading, ledger, works);
    CHECK(asked.purpose == Reading::Purpose::quarantine);
    CHECK(asked.request.revisions == revisions({5}));
    CHECK(asked.request.latest);
    ledger.retries_begun(revisions({5}));

    asked = next(reading, ledger, works);
    CHECK(asked.purpose == Reading::Purpose::gaps);
    CHECK(asked.request.revisions == revisions({2, 3, 7}));
    CHECK(asked.request.latest);
    reading.took(asked, *page_of({}), now);

    asked = next(reading, ledger, works);
    CHECK(asked.purpose == Reading::Purpose::tail);
    CHECK(asked.request.revisions == IntervalSet({Interval{10, journal::revision_max}}));
    CHECK_FALSE(asked.request.latest);
}

TEST_CASE("without room only open batches' rows are read, and the tail waits for its time") {
    const Reading reading{Limits{}};
    const Ledger ledger = with_gaps();
    CHECK_FALSE(reading.next(ledger, {}, false, true, now));
    Works works;
    works.emplace(4, BatchWork("lex", revisions({6})));
    CHECK(reading.next(ledger, works, false, true, now));
    Changes changes;
    Ledger no_gaps("lex", std::nullopt);
    no_gaps.begin({.target = {}, .at = 1}, changes);
    CHECK_FALSE(reading.next(no_gaps, {}, true, false, now));
}

TEST_CASE("a round of gaps goes on where a short page ended, and the next one waits a poll's time") {
    Reading reading{Limits{}};
    const Ledger ledger = with_gaps();
    auto asked = next(reading, ledger, {}, true, false);
    reading.took(asked, *page_at(part_of({}, 3), now), now);
    asked = next(reading, ledger, {}, true, false);
    CHECK(asked.purpose == Reading::Purpose::gaps);
    CHECK(asked.request.revisions == revisions({7}));
    reading.took(asked, *page_at(page_of({}), now), now);
    CHECK_FALSE(reading.next(ledger, {}, true, false, now + 499));
    CHECK(next(reading, ledger, {}, true, false, now + 500).purpose == Reading::Purpose::gaps);
}

TEST_CASE("the next round of gaps waits as long as this one took") {
    Reading reading{Limits{}};
    const Ledger ledger = with_gaps();
    auto asked = next(reading, ledger, {}, true, false);
    reading.took(asked, *page_at(part_of({}, 3), now), now + 10);
    asked = next(reading, ledger, {}, true, false, now + 7'000);
    reading.took(asked, *page_at(page_of({}), now + 7'000), now + 8'000);
    CHECK_FALSE(reading.next(ledger, {}, true, false, now + 15'999));
    CHECK(next(reading, ledger, {}, true, false, now + 16'000).purpose == Reading::Purpose::gaps);
}

TEST_CASE("a long round of gaps and the tail take turns") {
    Reading reading{Limits{}};
    const Ledger ledger = with_gaps();
    auto asked = next(reading, ledger);
    REQUIRE(asked.purpose == Reading::Purpose::gaps);
    reading.took(asked, *part_of({}, 3), now);
    asked = next(reading, ledger);
    REQUIRE(asked.purpose == Reading::Purpose::tail);
    reading.took(asked, *part_of({}, 20), now);
    asked = next(reading, ledger);
    CHECK(asked.purpose == Reading::Purpose::gaps);
    CHECK(asked.request.revisions == revisions({7}));
}

TEST_CASE("caught up means: the end was seen, and all gaps were looked at after that") {
    Reading reading{Limits{}};
    const Ledger ledger = with_gaps();
    CHECK_FALSE(reading.caught_up(ledger));
    auto asked = next(reading, ledger);
    reading.took(asked, *page_of({}), now);
    asked = next(reading, ledger);
    REQUIRE(asked.purpose == Reading::Purpose::tail);
    reading.took(asked, *page_of({}), now);
    CHECK(reading.tail_complete());
    CHECK_FALSE(reading.caught_up(ledger));
    asked = next(reading, ledger, {}, true, false);
    REQUIRE(asked.purpose == Reading::Purpose::gaps);
    reading.took(asked, *part_of({}, 3), now);
    CHECK_FALSE(reading.caught_up(ledger));
    reading.took(next(reading, ledger, {}, true, false), *page_of({}), now);
    CHECK(reading.caught_up(ledger));
    reading.reset();
    CHECK_FALSE(reading.caught_up(ledger));
}

TEST_CASE("the tail is read as latest rows until high is through what may have been sent ahead") {
    Reading reading{Limits{}};
    Changes changes;
    Ledger ledger("lex", std::nullopt);
    ledger.begin({.target = {}, .at = 1}, changes);
    reading.latest_through(2);
    reading.latest_through(1);  // never goes back
    CHECK(next(reading, ledger).request.latest);
    (void)ledger.open({revisions({1}), {}, {}}, {.rows = 1}, 100, 2, changes);
    CHECK(next(reading, ledger).request.latest);
    (void)ledger.open({revisions({2}), {}, {}}, {.rows = 1}, 100, 2, changes);
    CHECK_FALSE(next(reading, ledger).request.latest);
}

TEST_CASE("reads keep the limits, and nothing is read above the highest revision there can be") {
    Limits limits;
    limits.batch_rows_max = 7;
    limits.batch_bytes_max = 99;
    Reading reading{limits};
    Changes changes;
    Ledger ledger("lex", std::nullopt);
    ledger.begin({.target = {}, .at = 1}, changes);
    const auto asked = next(reading, ledger);
    CHECK(asked.request.rows_max == 7);
    CHECK(asked.request.bytes_max == 99);
    (void)ledger.open({revisions({journal::revision_max}), {}, {}}, {.rows = 1}, 100, 2, changes);
    reading.look_for_end(ledger);
    const auto last = next(reading, ledger);
    CHECK(last.purpose == Reading::Purpose::gaps);
    CHECK_FALSE(reading.caught_up(ledger));
    reading.took(last, *page_of({}), now);
    CHECK(reading.caught_up(ledger));
}

TEST_CASE("who is to come to an end reads no further, however high has come there") {
    Reading reading{Limits{}};
    Changes changes;
    Ledger ledger("lex", std::nullopt);
    ledger.begin({.target = {}, .at = 1}, changes);
    reading.end_tail_at(9);
    const auto asked = next(reading, ledger);
    CHECK(asked.request.revisions == IntervalSet({Interval{1, 9}}));
    // A row of the quarantine that was tried again; what it leaves out are gaps.
    (void)ledger.open({revisions({9}), {}, {}}, {.rows = 1}, 100, 2, changes);
    CHECK_FALSE(reading.caught_up(ledger));
    reading.look_for_end(ledger);
    const auto gaps = next(reading, ledger);
    CHECK(gaps.purpose == Reading::Purpose::gaps);
    CHECK_FALSE(reading.caught_up(ledger));
    reading.took(gaps, *page_of({}), now);
    CHECK(reading.caught_up(ledger));
    reading.repair(revisions({10}));  // above the end: nothing that would bring it is read any more
    CHECK(reading.caught_up(ledger));
    reading.repair(revisions({3}));
    CHECK_FALSE(reading.caught_up(ledger));
    reading.reset();
    CHECK_FALSE(reading.caught_up(ledger));
}

TEST_CASE("when all that a round of gaps has left is filled meanwhile, a new round begins") {
    Reading reading{Limits{}};
    Ledger ledger = with_gaps();
    reading.took(next(reading, ledger, {}, true, false), *page_at(part_of({}, 3), now), now);
    Changes changes;
    (void)ledger.open({revisions({7}), {}, {}}, {.rows = 1}, 100, 2, changes);
    CHECK(next(reading, ledger, {}, true, false).request.revisions == revisions({2, 3}));
}
