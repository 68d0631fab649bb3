// Who feeds the pipeline, and what follows when that changes.
#include <algorithm>

#include <catch2/catch.hpp>

#include "engine/lease_term.h"
#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

ByHand without_lease(Until until = Until::stopped) {
    ByHand hand(settings_for(until));
    hand.lease_at_once = false;
    hand.happens(Begin{});
    hand.need<AskLease>();
    return hand;
}

void answer(ByHand& hand, Lease::Outcome outcome, TimeMs asked_at) {
    hand.happens(LeaseAnswered{{outcome, asked_at, "another pawl, connection 7"}});
}

// Has the lease, and a request is to be sent.
ByHand sending() {
    ByHand hand = without_lease();
    answer(hand, Lease::Outcome::won, hand.now);
    hand.happens(SourceReady{{0, 0}});
    hand.target_is("uuid", true);
    hand.writes();
    return hand;
}

}  // namespace

// It may have slept: then another pawl has had the lease since, and the index is not the one that was found.
TEST_CASE("what follows from what was found is not decided before the lease is confirmed again") {
    ByHand hand = without_lease();
    hand.look_up_at_once = false;
    answer(hand, Lease::Outcome::won, hand.now);
    hand.happens(SourceReady{{0, 0}});
    hand.target_is("uuid", true);
    const auto asked = hand.need<LookUp>().request;
    hand.now += limits::lease_valid_ms + 1;
    hand.happens(LookedUp{asked.id, hand.intact(asked)});
    CHECK_FALSE(hand.take<ReportRecovery>());
    answer(hand, Lease::Outcome::held, hand.now);
    CHECK(hand.take<ReportRecovery>());
}

TEST_CASE("nothing is asked of either server before the lease is won") {
    ByHand hand = without_lease();
    CHECK_FALSE(hand.take<PrepareSource>());
    CHECK_FALSE(hand.take<PrepareTarget>());
    answer(hand, Lease::Outcome::won, hand.now);
    CHECK(hand.take<PrepareSource>());
    CHECK(hand.take<PrepareTarget>());
}

TEST_CASE("a daemon waits as a standby, says so once and in the journal, and takes over") {
    ByHand hand = without_lease();
    answer(hand, Lease::Outcome::taken, hand.now);
    CHECK(hand.notices("standby: another pawl, connection 7") == 1);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::standby);
    hand.now += limits::lease_renew_ms;
    hand.fires(Timer::lease);
    hand.need<AskLease>();
    answer(hand, Lease::Outcome::taken, hand.now);
    CHECK(hand.notices("standby") == 0);
    CHECK_FALSE(hand.take<PrepareSource>());
    hand.fires(Timer::lease);
    answer(hand, Lease::Outcome::won, hand.now);
    CHECK(hand.notices("has the lease now") == 1);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::running);
    CHECK(hand.take<PrepareSource>());
}

TEST_CASE("a command waits a while for a lease that another pawl has, then says who has it") {
    ByHand hand = without_lease(Until::caught_up);
    const TimeMs end = hand.now + limits::lease_wait_ms;
    for (; hand.now < end; hand.now += limits::lease_renew_ms) {
        answer(hand, Lease::Outcome::taken, hand.now);
        CHECK_FALSE(hand.take<Finish>());
        hand.fires(Timer::lease);
    }
    answer(hand, Lease::Outcome::taken, hand.now);
    const auto error = hand.need<Finish>().error;
    CHECK(error->kind == ErrorKind::unavailable);
    CHECK_THAT(error->message, Catch::Contains("connection 7"));
}

TEST_CASE("nothing is sent on a confirmation that is too old") {
    ByHand hand = sending();
    hand.reads(page_of({index_row(1, "a")}));
    hand.now += limits::lease_valid_ms;
    hand.writes();
    CHECK_FALSE(hand.take<SendBulk>());
    hand.fires(Timer::lease);
    hand.need<AskLease>();
    answer(hand, Lease::Outcome::held, hand.now);
    CHECK(hand.take<SendBulk>());
}

TEST_CASE("what comes when the lease is too old becomes a batch when it is confirmed, and no sooner") {
    ByHand hand = sending();
    hand.now += limits::lease_valid_ms;
    hand.reads(page_of({index_row(1, "a")}));
    CHECK(hand.pipeline.ledger().open_batches().empty());
    CHECK_FALSE(hand.take<ReadPage>());
    hand.fires(Timer::lease);
    hand.need<AskLease>();
    answer(hand, Lease::Outcome::held, hand.now);
    CHECK(hand.pipeline.ledger().open_batches().size() == 1);
}

TEST_CASE(
    "on a slow line the lease is asked for again at once, and holds as long as answers take no longer") {
    ByHand hand = sending();
    const TimeMs round_trip = limits::lease_valid_ms / 2;
    for (Revision revision = 1; revision < 5; ++revision) {
        hand.fires(Timer::lease);
        hand.need<AskLease>();
        const TimeMs asked_at = hand.now;
        hand.now += round_trip - 1;  // just before the confirmation before this one ceases to count
        hand.fires(Timer::poll);
        hand.reads(page_of({index_row(revision, "a")}));
        hand.writes();
        hand.answers(hand.need<SendBulk>());
        hand.writes();
        ++hand.now;
        const auto effects =
            hand.pipeline.step(LeaseAnswered{{Lease::Outcome::held, asked_at, ""}}, hand.now);
        const auto again = std::ranges::find_if(effects, [](const Effect& effect) {
            const auto* const timer = std::get_if<SetTimer>(&effect);
            return timer != nullptr && timer->timer == Timer::lease && timer->delay_max_ms == 0;
        });
        CHECK(again != effects.end());
    }
}

TEST_CASE("a lease that was lost and won again means to begin as after a start, with latest rows") {
    ByHand hand = sending();
    hand.reads(page_of({index_row(1, "a")}));
    hand.writes();
    const auto send = hand.need<SendBulk>();
    hand.need<ReportRecovery>();
    hand.happens(LeaseFailed{{ErrorKind::unavailable, "gone", "wait"}});
    CHECK(hand.notices("gone") == 1);
    hand.answers(send);  // means nothing any more
    CHECK(hand.pipeline.ledger().open_batches().size() == 1);
    hand.fires(Timer::lease);
    hand.need<AskLease>();
    answer(hand, Lease::Outcome::won, hand.now);
    hand.need<PrepareSource>();
    hand.need<PrepareTarget>();
    hand.happens(SourceReady{{9, 0}});
    hand.target_is("uuid", false);
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R08");
    CHECK(hand.need<ReadPage>().request.latest);
}

TEST_CASE("an answer to a question from before the lease was lost means nothing") {
    ByHand hand = without_lease();
    answer(hand, Lease::Outcome::won, hand.now);
    hand.need<PrepareSource>();
    hand.need<PrepareTarget>();
    hand.happens(LeaseFailed{{ErrorKind::unavailable, "gone", "wait"}});
    hand.fires(Timer::lease);
    answer(hand, Lease::Outcome::won, hand.now);
    CHECK_FALSE(hand.take<PrepareSource>());  // one at a time
    hand.happens(SourceReady{{5, 0}});        // of before
    CHECK(hand.take<PrepareSource>());
}

TEST_CASE("a lease that was lost is not held any more, however lately it was confirmed") {
    LeaseKeeping lease;
    lease.asked();
    CHECK(lease.answered({Lease::Outcome::won, 1'000, {}}, 1'000) == LeaseKeeping::Turn::won);
    CHECK(lease.holds_at(1'000 + limits::lease_valid_ms - 1));
    lease.asked();
    CHECK(lease.failed() == LeaseKeeping::Turn::lost);
    CHECK_FALSE(lease.holds_at(1'000));
}

TEST_CASE("who has the lease may be gone before it could be asked for") {
    ByHand hand = without_lease();
    hand.happens(LeaseAnswered{{Lease::Outcome::taken, hand.now, ""}});
    CHECK(hand.notices("standby: another pawl feeds this pipeline") == 1);
}

TEST_CASE("an operator's retry reaches a standby's journal too") {
    ByHand hand = without_lease();
    answer(hand, Lease::Outcome::taken, hand.now);
    hand.happens(RetryAsked{});
    hand.happens(StopAsked{});
    hand.writes();
    CHECK(hand.pipeline.finished());
}

TEST_CASE("the threads of a pipeline count on its lease for a while after it was confirmed, in one term") {
    LeaseTerm lease;
    CHECK_FALSE(lease.lasts(lease.number(), 0));
    lease.won(1'000);
    const auto first = lease.number();
    CHECK(lease.lasts(first, 1'000 + limits::lease_valid_ms - 1));
    CHECK_FALSE(lease.lasts(first, 1'000 + limits::lease_valid_ms));
    lease.held(2'000);
    CHECK(lease.lasts(first, 1'000 + limits::lease_valid_ms));
    lease.lost();
    CHECK_FALSE(lease.lasts(first, 2'000));
    lease.won(3'000);
    CHECK_FALSE(lease.lasts(first, 3'000));  // what was asked for before belongs to the term before
    CHECK(lease.lasts(lease.number(), 3'000));
}

TEST_CASE("what the source warns of is told at a start, and again only when it is something else") {
    const auto warns_of = [](ByHand& hand, const std::vector<std::string>& warnings) {
        SourceFacts facts;
        for (const std::string& warning : warnings)
            facts.warnings.push_back({ErrorKind::invalid, warning, "do something"});
        hand.happens(SourceReady{facts});
    };
    ByHand hand = without_lease();
    answer(hand, Lease::Outcome::won, hand.now);
    warns_of(hand, {"one", "two"});
    CHECK(hand.need<Notice>().text == "one");
    CHECK(hand.need<Notice>().text == "two");
    const auto wins_again = [&] {
        hand.happens(LeaseFailed{{ErrorKind::unavailable, "cut", ""}});
        hand.happens(TimerFired{Timer::lease});
        answer(hand, Lease::Outcome::won, hand.now);
    };
    wins_again();
    warns_of(hand, {"one", "two"});
    CHECK(hand.notices("one") == 0);
    wins_again();
    warns_of(hand, {"three"});
    CHECK(hand.notices("three") == 1);
}
