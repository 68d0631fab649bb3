// Missing revisions: when they are taken for dead, and when not.
#include <catch2/catch.hpp>

#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

const Proof busy{Proof::Outcome::busy, 0, {}};
const Proof not_allowed{Proof::Outcome::not_allowed, 0, {}};

Proof proven(Revision through) {
    return {Proof::Outcome::proven, through, {}};
}

const IntervalSet two_to_four({Interval{2, 4}});

// Rows 1 and 5 are in the index; 2, 3 and 4 are missing.
ByHand with_gaps(Limits limits = {}) {
    PipelineSettings settings = settings_for();
    settings.limits = limits;
    ByHand hand(settings);
    hand.begins();
    hand.writes();
    hand.reads(page_of({index_row(1, "a"), index_row(5, "b")}));
    hand.writes();
    hand.answers(hand.need<SendBulk>());
    hand.writes();
    hand.need<ReportRecovery>();
    hand.reads(page_of({}));  // the first look at the gaps, while somebody writes
    REQUIRE(hand.pipeline.ledger().gaps() == two_to_four);
    return hand;
}

// The next round over the gaps, which finds these rows.
void round(ByHand& hand, std::vector<Row> rows, IntervalSet seen) {
    hand.now += hand.pipeline.ledger().gaps().empty() ? 0 : Limits{}.poll_interval_ms;
    hand.fires(Timer::poll);
    auto read = hand.need<ReadPage>();
    while (read.request.revisions.highest() == journal::revision_max) {  // the tail: nothing new
        hand.happens(PageRead{read.request.id, page_of({}, hand.now)});
        read = hand.need<ReadPage>();
    }
    CHECK(read.request.latest);
    const auto page = page_of(std::move(rows), hand.now);
    page->seen = std::move(seen);
    hand.happens(PageRead{read.request.id, page});
}

}  // namespace

TEST_CASE("while somebody writes, missing revisions stay gaps and hold the watermark") {
    ByHand hand = with_gaps();
    hand.proof = busy;
    round(hand, {}, {});
    CHECK(hand.pipeline.ledger().gaps() == two_to_four);
    CHECK(hand.pipeline.ledger().pipeline().watermark == 1);
}

TEST_CASE("what a proof covers and a later read does not show is dead: the gap closes, the watermark moves") {
    ByHand hand = with_gaps();
    hand.proof = proven(5);
    round(hand, {}, {});
    const auto write = hand.need<WriteJournal>();
    REQUIRE(holds<journal::CloseGaps>(write));
    CHECK(hand.pipeline.ledger().gaps().empty());
    CHECK(hand.pipeline.ledger().pipeline().watermark == 5);
    CHECK(hand.pipeline.ledger().pipeline().gaps_unproven == 0);
}

TEST_CASE("a late row is sent and only the dead part of its gap closes; the watermark waits for the row") {
    ByHand hand = with_gaps();
    hand.proof = proven(5);
    round(hand, {index_row(3, "late")}, IntervalSet({Interval{3, 3}}));
    CHECK(hand.pipeline.ledger().gaps().empty());
    CHECK(hand.pipeline.ledger().pipeline().watermark == 2);
    hand.writes();
    const auto send = hand.need<SendBulk>();
    REQUIRE(send.request.actions.size() == 1);
    CHECK(send.request.actions[0].revision == 3);
    hand.answers(send);
    CHECK(hand.pipeline.ledger().pipeline().watermark == 5);
}

TEST_CASE("a proof covers nothing above the revision that it names") {
    ByHand hand = with_gaps();
    hand.proof = proven(3);
    round(hand, {}, {});
    CHECK(hand.pipeline.ledger().gaps() == IntervalSet({Interval{4, 4}}));
    CHECK(hand.pipeline.ledger().pipeline().watermark == 3);
}

TEST_CASE("a read is not begun while a proof is under way, so that it can make use of it") {
    ByHand hand = with_gaps();
    hand.proof.reset();
    hand.lease_at_once = false;  // nothing but the poll happens
    hand.now += 500;
    hand.fires(Timer::poll);
    hand.need<ProveGaps>();
    CHECK_FALSE(hand.take<ReadPage>());
    hand.happens(ProofAnswered{busy});
    CHECK(hand.take<ReadPage>());
}

TEST_CASE("no proof is asked for while a read is under way, which could not make use of it") {
    ByHand hand = with_gaps();
    hand.now += 500;
    hand.fires(Timer::poll);
    const auto read = hand.need<ReadPage>();
    hand.proof.reset();
    hand.now += 60'000;
    hand.fires(Timer::poll);
    CHECK_FALSE(hand.take<ProveGaps>());
    hand.happens(PageRead{read.request.id, page_of({}, hand.now)});
    CHECK(hand.take<ProveGaps>());
    CHECK(hand.pipeline.ledger().gaps() == two_to_four);
}

TEST_CASE("a page that was cut closes gaps as far as it reaches") {
    ByHand hand = with_gaps();
    hand.proof = proven(5);
    hand.now += 500;
    hand.fires(Timer::poll);
    auto read = hand.need<ReadPage>();
    while (read.request.revisions.highest() == journal::revision_max) {
        hand.happens(PageRead{read.request.id, page_of({}, hand.now)});
        read = hand.need<ReadPage>();
    }
    hand.happens(PageRead{read.request.id, part_of({}, 3, hand.now)});
    CHECK(hand.pipeline.ledger().gaps() == IntervalSet({Interval{4, 4}}));
}

TEST_CASE("with a proof at hand the tail leaves no gaps behind it") {
    ByHand hand(settings_for());
    hand.proof = proven(5);
    hand.begins(5);
    hand.writes();
    hand.reads(page_of({index_row(1, "a"), index_row(5, "b")}));
    const auto write = hand.need<WriteJournal>();
    CHECK_FALSE(holds<journal::CloseGaps>(write));
    CHECK(hand.pipeline.ledger().gaps().empty());
}

TEST_CASE("what was handed out after the proof is a gap, also in a page that was read after it") {
    ByHand hand(settings_for());
    hand.proof = proven(5);
    hand.begins(5);
    hand.writes();
    hand.reads(page_of({index_row(1, "a"), index_row(9, "b")}));
    CHECK(hand.pipeline.ledger().gaps() == IntervalSet({Interval{6, 8}}));
}

TEST_CASE("a proof is forgotten when the source fails: the next server may know less") {
    ByHand hand = with_gaps();
    hand.proof = proven(5);
    hand.now += 500;
    hand.fires(Timer::poll);
    const auto read = hand.need<ReadPage>();
    hand.proof = busy;
    hand.happens(ReadFailed{read.request.id, {ErrorKind::unavailable, "gone", "wait"}});
    hand.now += 500;
    hand.fires(Timer::read_retry);
    round(hand, {}, {});
    CHECK(hand.pipeline.ledger().gaps() == two_to_four);
}

TEST_CASE("a proof that fails is told, and reading goes on without it") {
    ByHand hand = with_gaps();
    hand.proof.reset();
    hand.lease_at_once = false;  // nothing but the poll happens
    hand.now += 500;
    hand.fires(Timer::poll);
    hand.need<ProveGaps>();
    hand.happens(ProofFailed{{ErrorKind::unavailable, "too many connections", "raise max_connections"}});
    CHECK(hand.notices("too many connections") == 1);
    CHECK(hand.take<ReadPage>());
    hand.happens(ProofFailed{{ErrorKind::unavailable, "nobody asked", ""}});  // means nothing
    hand.happens(ProofAnswered{proven(5)});
    CHECK(hand.notices("") == 0);
}

TEST_CASE(
    "without the privilege gaps are kept for gap_grace, then given up: told, and counted in the journal") {
    Limits limits;
    limits.gap_grace_ms = 10'000;
    ByHand hand = with_gaps(limits);
    hand.proof = not_allowed;
    hand.now += 60'000;
    round(hand, {}, {});
    CHECK(hand.notices("it cannot be proven") == 1);
    hand.now += 9'000;
    round(hand, {}, {});
    CHECK(hand.pipeline.ledger().gaps() == two_to_four);
    hand.now += 1'000;
    round(hand, {}, {});
    CHECK(hand.pipeline.ledger().gaps().empty());
    CHECK(hand.pipeline.ledger().pipeline().gaps_unproven == 3);
    CHECK(hand.notices("3 missing revisions were given up") == 1);
}

TEST_CASE("what is given up is told once a minute, with all that was given up since") {
    Limits limits;
    limits.gap_grace_ms = 10'000;
    ByHand hand = with_gaps(limits);
    hand.proof = not_allowed;
    hand.now += 60'000;
    round(hand, {}, {});
    hand.now += limits.gap_grace_ms;
    round(hand, {}, {});
    CHECK(hand.notices("3 missing revisions were given up") == 1);
    hand.fires(Timer::poll);
    hand.reads(page_of({index_row(8, "c")}));  // 6 and 7 are missing
    hand.writes();
    hand.now += limits.gap_grace_ms / limits::grace_marks_max;
    round(hand, {}, {});
    hand.now += limits.gap_grace_ms;
    round(hand, {}, {});
    CHECK(hand.pipeline.ledger().pipeline().gaps_unproven == 5);
    CHECK(hand.notices("") == 0);
    hand.fires(Timer::poll);
    hand.reads(page_of({index_row(10, "d")}));  // 9 is missing
    hand.writes();
    hand.now += limits.gap_grace_ms / limits::grace_marks_max;
    round(hand, {}, {});
    hand.now += limits::notice_interval_ms;
    round(hand, {}, {});
    CHECK(hand.notices("3 missing revisions were given up") == 1);
}

TEST_CASE("a privilege that is granted while running is noticed and told") {
    ByHand hand = with_gaps();
    hand.proof = not_allowed;
    hand.now += 60'000;
    round(hand, {}, {});
    hand.proof = proven(5);
    hand.now += 60'000;
    round(hand, {}, {});
    CHECK(hand.notices("it can be proven again") == 1);
    CHECK(hand.pipeline.ledger().gaps().empty());
}

TEST_CASE("recover asks for no proof") {
    ByHand hand(settings_for(Until::recovered), left_behind(journal::BatchState::intent));
    hand.proof.reset();
    hand.begins(2, false);
    CHECK_FALSE(hand.take<ProveGaps>());
}

TEST_CASE("a proof may reach through the highest revision there can be") {
    ByHand hand(settings_for());
    hand.proof = proven(journal::revision_max);
    hand.begins(5);
    hand.writes();
    hand.reads(page_of({index_row(1, "a"), index_row(5, "b")}));
    CHECK(hand.pipeline.ledger().gaps().empty());
    CHECK(hand.pipeline.ledger().pipeline().high == 5);
}
