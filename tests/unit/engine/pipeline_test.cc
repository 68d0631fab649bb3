#include "engine/pipeline.h"

#include <catch2/catch.hpp>

#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

TEST_CASE("a new index begins at revision 0, and nothing is read before both servers have answered") {
    ByHand hand(settings_for());
    hand.happens(Begin{});
    hand.happens(SourceReady{{7}});
    CHECK_FALSE(hand.take<ReadPage>());
    hand.target_is("uuid", true);
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R01");
    CHECK(holds<journal::BeginPipeline>(hand.need<WriteJournal>()));
    const auto read = hand.need<ReadPage>().request;
    CHECK(read.revisions.lowest() == 1);
    CHECK_FALSE(read.latest);
}

TEST_CASE("an index that was there before is gone over with latest rows only") {
    ByHand hand(settings_for());
    hand.begins(7, false);
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R02");
    CHECK(hand.need<ReadPage>().request.latest);
}

TEST_CASE("INTENT: the open batch's latest rows are read and sent, then it is APPLIED and COMMITTED") {
    ByHand hand(settings_for(), left_behind(journal::BatchState::intent));
    hand.begins(2, false);
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R08");
    CHECK(hand.asked.size() == 1);  // the read: nothing is sent before
    const auto read = hand.need<ReadPage>();
    CHECK(read.request.latest);
    CHECK(read.request.revisions == IntervalSet({Interval{1, 2}}));
    hand.happens(PageRead{read.request.id, page_of({index_row(2, "a")}, hand.now)});
    hand.answers(hand.need<SendBulk>());
    const auto write = hand.need<WriteJournal>();
    CHECK(holds<journal::ApplyBatch>(write));
    CHECK(holds<journal::CommitBatches>(write));
}

TEST_CASE("APPLIED: the commit is finished and nothing is sent") {
    ByHand hand(settings_for(), left_behind(journal::BatchState::applied));
    hand.begins(2, false);
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R09");
    const auto write = hand.need<WriteJournal>();
    CHECK(holds<journal::CommitBatches>(write));
    CHECK_FALSE(hand.take<SendBulk>());
    CHECK(hand.pipeline.ledger().pipeline().watermark == 2);
}

TEST_CASE("after a start the tail is read as latest rows up to where the history ended then") {
    auto left = left_behind(journal::BatchState::committed);
    left.pipeline.watermark = 2;
    ByHand hand(settings_for(), left);
    hand.begins(5, false);
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R07");
    auto read = hand.need<ReadPage>();
    CHECK(read.request.revisions.lowest() == 3);
    CHECK(read.request.latest);  // the former process may have sent one of these ahead of its turn
    hand.happens(PageRead{read.request.id,
                          part_of({index_row(3, "a"), index_row(4, "b"), index_row(5, "c")}, 5, hand.now)});
    CHECK_FALSE(hand.need<ReadPage>().request.latest);
}

TEST_CASE("another source is an incident when it is found, and not once more at each start") {
    for (const bool again : {false, true}) {
        auto left = left_behind(journal::BatchState::intent);
        left.pipeline.source.table = "other";
        if (again) left.pipeline.condition = journal::Condition::source_changed;
        ByHand hand(settings_for(), left);
        hand.begins(2, false);
        CHECK(holds<journal::NoteIncident>(hand.need<WriteJournal>()) == !again);
    }
}

TEST_CASE("another source is refused before anything is read or sent, and the journal says so") {
    auto left = left_behind(journal::BatchState::intent);
    left.pipeline.source.table = "other";
    ByHand hand(settings_for(), left);
    hand.begins(2, false);
    CHECK(hand.need<Finish>().error->kind == ErrorKind::decision);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::source_changed);
    CHECK(holds<journal::SetCondition>(hand.need<WriteJournal>()));
    CHECK_FALSE(hand.take<ReadPage>());
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R04");
}

TEST_CASE("recover only replays what is open and comes to rest without reading on") {
    ByHand hand(settings_for(Until::recovered), left_behind(journal::BatchState::intent));
    hand.begins(9, false);
    hand.reads(page_of({index_row(2, "a")}));
    hand.answers(hand.need<SendBulk>());
    CHECK_FALSE(hand.take<Finish>());  // not before the disk has it
    hand.writes();
    CHECK_FALSE(hand.need<Finish>().error);
    CHECK_FALSE(hand.take<ReadPage>());
}

TEST_CASE("sync comes to rest when the end was seen and all of it is committed") {
    ByHand hand(settings_for(Until::caught_up));
    hand.begins(1);
    hand.writes();
    hand.reads(page_of({index_row(1, "a")}));
    hand.writes();
    CHECK_FALSE(hand.take<Finish>());
    hand.answers(hand.need<SendBulk>());
    CHECK_FALSE(hand.take<Finish>());
    hand.writes();
    CHECK_FALSE(hand.need<Finish>().error);
    CHECK(hand.pipeline.finished());
    hand.happens(TimerFired{Timer::poll});
    CHECK_FALSE(hand.take<ReadPage>());
}

TEST_CASE("sync of an empty history comes to rest") {
    ByHand hand(settings_for(Until::caught_up));
    hand.begins();
    hand.writes();
    hand.writes();  // the index has been told
    CHECK_FALSE(hand.need<Finish>().error);
}

TEST_CASE("sync comes to an end though rows keep coming: it reads no further than the history went") {
    ByHand hand(settings_for(Until::caught_up), left_behind(journal::BatchState::committed));
    hand.begins(3, false);
    const auto read = hand.need<ReadPage>().request;
    CHECK(read.revisions == IntervalSet({Interval{3, 3}}));
    hand.happens(PageRead{read.id, page_of({index_row(3, "c")}, hand.now)});
    hand.writes();
    CHECK_FALSE(hand.take<ReadPage>());
    hand.answers(hand.need<SendBulk>());
    hand.writes();
    hand.writes();
    CHECK_FALSE(hand.need<Finish>().error);
}

TEST_CASE("a stop begins nothing new and waits for the requests in flight and for the disk") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(part_of({index_row(1, "a")}, 1));
    hand.writes();
    const auto send = hand.need<SendBulk>();
    const auto read = hand.need<ReadPage>();
    hand.happens(StopAsked{});
    CHECK_FALSE(hand.take<Finish>());
    hand.happens(PageRead{read.request.id, page_of({index_row(2, "b")}, hand.now)});
    CHECK_FALSE(hand.take<WriteJournal>());
    hand.answers(send);
    CHECK_FALSE(hand.take<Finish>());
    hand.writes();
    CHECK_FALSE(hand.need<Finish>().error);
    CHECK_FALSE(hand.take<ReadPage>());
    CHECK(hand.pipeline.ledger().open_batches().empty());
}

TEST_CASE("a stop leaves a failed batch in INTENT for the next start") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(page_of({index_row(1, "a")}));
    hand.writes();
    const auto send = hand.need<SendBulk>();
    hand.happens(StopAsked{});
    hand.fails(send, ErrorKind::unavailable);
    hand.writes();
    CHECK(hand.take<Finish>());
    CHECK_FALSE(hand.take<SendBulk>());
    CHECK(hand.pipeline.ledger().open_batches().size() == 1);
}

TEST_CASE("target missing, then the same index again: what was under way goes on") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(page_of({index_row(1, "a"), index_row(2, "b")}));
    hand.writes();
    hand.answers(hand.need<SendBulk>(), ItemStatus::target_missing);
    hand.writes();
    CHECK_FALSE(hand.take<SendBulk>());
    hand.fires(Timer::prepare_retry);
    hand.need<PrepareTarget>();
    hand.target_is("uuid", false);
    hand.writes();
    CHECK(hand.need<SendBulk>().request.actions.size() == 2);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::running);
}

TEST_CASE("several requests that find the index gone make it looked for once") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(part_of({index_row(1, "a")}, 1));
    hand.reads(page_of({index_row(2, "b")}));
    hand.writes();
    const auto first = hand.need<SendBulk>();
    const auto second = hand.need<SendBulk>();
    while (hand.take<SetTimer>()) {
    }
    hand.answers(first, ItemStatus::target_missing);
    CHECK(hand.need<SetTimer>().timer == Timer::prepare_retry);
    hand.answers(second, ItemStatus::target_missing);
    CHECK_FALSE(hand.take<SetTimer>());
    hand.fires(Timer::prepare_retry);
    hand.need<PrepareTarget>();
    CHECK_FALSE(hand.take<PrepareTarget>());
    hand.target_is("uuid", false);
    CHECK(hand.take<SendBulk>());
    CHECK(hand.take<SendBulk>());
}

TEST_CASE("target missing, then another index: it begins again from 0 up to where the history ends by now") {
    ByHand hand(settings_for());
    hand.begins(1);
    hand.writes();
    hand.need<ReportRecovery>();
    hand.reads(page_of({index_row(1, "a")}));
    hand.reads(page_of({index_row(2, "b")}));
    hand.writes();
    const auto send = hand.need<SendBulk>();
    hand.fails(send, ErrorKind::target_missing);
    hand.fires(Timer::prepare_retry);
    hand.need<PrepareTarget>();
    hand.target_is("uuid2", true);
    hand.need<PrepareSource>();
    hand.happens(SourceReady{{5}});
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R05");
    hand.writes();
    CHECK(hand.pipeline.ledger().open_batches().empty());
    hand.fires(Timer::poll);
    const auto read = hand.need<ReadPage>().request;
    CHECK(read.revisions.lowest() == 1);
    CHECK(read.latest);  // the old request may still arrive, and tombstones expire
    hand.answers(send);  // means nothing any more
    CHECK_FALSE(hand.take<WriteJournal>());
}
