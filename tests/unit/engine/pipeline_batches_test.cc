// From a page to COMMITTED (engine/pipeline_batches.cc).
#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

const std::vector<Row> four{index_row(1, "a"), index_row(2, "b"), index_row(3, "c"), index_row(4, "d")};

// A pipeline whose first page has been read and whose INTENT is on disk.
ByHand with_batch(const std::vector<Row>& rows, PipelineSettings settings = settings_for()) {
    ByHand hand(std::move(settings));
    hand.begins();
    hand.writes();
    hand.reads(page_of(rows));
    hand.writes();
    return hand;
}

std::vector<Revision> sent(const SendBulk& send) {
    return revisions_of(send.request.actions);
}

}  // namespace

TEST_CASE("nothing is sent before its INTENT is on disk") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(page_of(four));
    const auto write = hand.need<WriteJournal>();
    CHECK(holds<journal::OpenBatch>(write));
    CHECK_FALSE(hand.take<SendBulk>());
    hand.happens(TimerFired{Timer::send_retry});
    CHECK_FALSE(hand.take<SendBulk>());
    hand.happens(JournalWritten{write.ticket});
    CHECK(sent(hand.need<SendBulk>()) == std::vector<Revision>{1, 2, 3, 4});
}

TEST_CASE("in order, APPLIED and COMMITTED are one write") {
    ByHand hand = with_batch(four);
    hand.answers(hand.need<SendBulk>());
    const auto write = hand.need<WriteJournal>();
    CHECK(write.changes.size() == 2);
    CHECK(holds<journal::ApplyBatch>(write));
    CHECK(holds<journal::CommitBatches>(write));
    CHECK(hand.pipeline.ledger().pipeline().watermark == 4);
}

TEST_CASE("out of order, the later batch is APPLIED alone and committed with the former") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(part_of({index_row(1, "a")}, 1));
    hand.reads(page_of({index_row(2, "b")}));
    hand.writes();
    const auto first = hand.need<SendBulk>();
    const auto second = hand.need<SendBulk>();
    hand.answers(second);
    auto write = hand.need<WriteJournal>();
    CHECK(holds<journal::ApplyBatch>(write));
    CHECK_FALSE(holds<journal::CommitBatches>(write));
    CHECK(hand.pipeline.ledger().pipeline().watermark == 0);
    hand.answers(first);
    write = hand.need<WriteJournal>();
    CHECK(holds<journal::CommitBatches>(write));
    CHECK(hand.pipeline.ledger().pipeline().watermark == 2);
}

TEST_CASE("a request that is too large is halved down to the one document that is, and quarantines it") {
    ByHand hand = with_batch(four);
    hand.fails(hand.need<SendBulk>(), ErrorKind::too_large);
    const auto left = hand.need<SendBulk>();
    CHECK(sent(left) == std::vector<Revision>{1, 2});
    const auto right = hand.need<SendBulk>();
    CHECK(sent(right) == std::vector<Revision>{3, 4});
    hand.fails(left, ErrorKind::too_large);
    const auto guilty = hand.need<SendBulk>();
    CHECK(sent(guilty) == std::vector<Revision>{1});
    hand.fails(guilty, ErrorKind::too_large);
    hand.answers(hand.need<SendBulk>());
    hand.answers(right);
    hand.writes();
    CHECK(hand.pipeline.ledger().quarantine().size() == 1);
    CHECK(hand.pipeline.ledger().quarantine().at("a").error == "too_large");
    CHECK(hand.pipeline.ledger().pipeline().watermark == 4);
}

TEST_CASE("a request refused as a whole is halved down to the guilty action, the others go through") {
    ByHand hand = with_batch(four);
    int requests = 0;
    while (const auto send = hand.take<SendBulk>()) {
        ++requests;
        const auto revisions = sent(*send);
        if (std::find(revisions.begin(), revisions.end(), 3U) != revisions.end())
            hand.fails(*send, ErrorKind::rejected);
        else
            hand.answers(*send);
    }
    CHECK(requests == 5);
    CHECK(hand.pipeline.ledger().quarantine().size() == 1);
    CHECK(hand.pipeline.ledger().quarantine().at("c").revision == 3);
    CHECK(hand.pipeline.ledger().open_batches().empty());
    CHECK(hand.notices("quarantined entity c") == 1);
}

TEST_CASE("items that the index was too busy for are sent again, they alone, later and in smaller requests") {
    ByHand hand = with_batch(four);
    const auto send = hand.need<SendBulk>();
    std::vector<ItemResult> items(4);
    for (const std::size_t busy : {std::size_t{1}, std::size_t{2}, std::size_t{3}})
        items[busy] = {ItemStatus::retry, "es_rejected_execution_exception", "queue is full", {}};
    hand.happens(BulkAnswered{send.request.id, items});
    CHECK_FALSE(hand.take<SendBulk>());
    const auto timer = [&] {
        auto found = hand.need<SetTimer>();
        while (found.timer != Timer::send_retry)
            found = hand.need<SetTimer>();
        return found;
    }();
    CHECK(timer.delay_max_ms == 200);
    hand.now += timer.delay_max_ms;
    hand.fires(Timer::send_retry);
    CHECK(sent(hand.need<SendBulk>()) == std::vector<Revision>{2, 3});
    CHECK(sent(hand.need<SendBulk>()) == std::vector<Revision>{4});
}

TEST_CASE("requests grow back after many that went well") {
    PipelineSettings settings = settings_for();
    settings.limits.batch_rows_max = 4;
    ByHand hand = with_batch(four, settings);
    hand.fails(hand.need<SendBulk>(), ErrorKind::too_large);
    Revision next = 5;
    std::size_t largest = 0;
    for (int round = 0; round < 40 && largest < 4; ++round) {
        while (const auto send = hand.take<SendBulk>()) {
            largest = std::max(largest, send->request.actions.size());
            hand.answers(*send);
        }
        hand.writes();
        hand.fires(Timer::poll);
        hand.now += 500;
        if (auto read = hand.take<ReadPage>()) {
            const auto page = page_of({index_row(next, "a"), index_row(next + 1, "b"),
                                       index_row(next + 2, "c"), index_row(next + 3, "d")},
                                      hand.now);
            next += 4;
            hand.happens(PageRead{read->request.id, page});
            hand.writes();
        }
    }
    CHECK(largest == 4);
}

TEST_CASE("rows that have waited for half of gc_deletes are read again as latest before they are sent") {
    ByHand hand = with_batch(four);
    hand.fails(hand.need<SendBulk>(), ErrorKind::unavailable);
    hand.now += 30'000;
    hand.fires(Timer::send_retry);
    CHECK_FALSE(hand.take<SendBulk>());
    const auto read = hand.need<ReadPage>();
    CHECK(read.request.latest);
    CHECK(read.request.revisions == revisions({1, 2, 3, 4}));
    hand.happens(PageRead{read.request.id, page_of({index_row(2, "b"), remove_row(9, "a")}, hand.now)});
    CHECK(sent(hand.need<SendBulk>()) == std::vector<Revision>{2, 9});
    // Older rows of "a" may still lie above high: they must not be sent as they are.
    hand.fires(Timer::poll);
    CHECK(hand.need<ReadPage>().request.latest);
}

TEST_CASE("a gc_deletes of next to nothing does not keep a batch from ever being sent") {
    ByHand hand(settings_for());
    hand.happens(Begin{});
    hand.happens(SourceReady{});
    TargetFacts facts = facts_of("uuid", true);
    facts.gc_deletes_ms = 0;
    hand.happens(TargetReady{facts});
    hand.writes();
    hand.reads(page_of(four));
    hand.writes();
    CHECK(hand.take<SendBulk>());
}

TEST_CASE("a batch of invalid rows only is applied without a request, after its INTENT") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(page_of({invalid_row(1, "a")}));
    auto write = hand.need<WriteJournal>();
    CHECK_FALSE(holds<journal::ApplyBatch>(write));
    hand.happens(JournalWritten{write.ticket});
    write = hand.need<WriteJournal>();
    CHECK(holds<journal::ApplyBatch>(write));
    CHECK(holds<journal::CommitBatches>(write));
    CHECK_FALSE(hand.take<SendBulk>());
    CHECK(hand.pipeline.ledger().quarantine().at("a").error == "invalid_body");
}

TEST_CASE("an operator's retry reads the rejected row's entity and releases it when the index takes it") {
    ByHand hand = with_batch({index_row(1, "a")});
    hand.answers(hand.need<SendBulk>(), ItemStatus::rejected);
    hand.writes();
    hand.happens(RetryAsked{{"a"}});
    CHECK(holds<journal::RetryQuarantine>(hand.need<WriteJournal>()));
    const auto read = hand.need<ReadPage>();
    CHECK(read.request.revisions == revisions({1}));
    hand.happens(PageRead{read.request.id, page_of({index_row(1, "a")}, hand.now)});
    hand.writes();
    hand.answers(hand.need<SendBulk>());
    CHECK(hand.pipeline.ledger().quarantine().empty());
    CHECK_FALSE(hand.take<ReadPage>());
}

TEST_CASE("a retry that is asked for while another one is being read is not forgotten") {
    ByHand hand = with_batch({index_row(1, "a"), index_row(2, "b")});
    hand.answers(hand.need<SendBulk>(), ItemStatus::rejected);
    hand.writes();
    hand.happens(RetryAsked{{"b"}});
    const auto read = hand.need<ReadPage>();
    hand.happens(RetryAsked{{"a"}});
    hand.happens(PageRead{read.request.id, page_of({index_row(2, "b")}, hand.now)});
    CHECK(hand.need<ReadPage>().request.revisions == revisions({1}));
}

TEST_CASE("a rejected row does not quarantine an entity whose newer row a later batch has already sent") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(part_of({index_row(1, "a")}, 1));
    hand.reads(page_of({index_row(2, "a")}));
    hand.writes();
    const auto older = hand.need<SendBulk>();
    hand.answers(hand.need<SendBulk>());
    hand.answers(older, ItemStatus::rejected);
    hand.writes();
    CHECK(hand.pipeline.ledger().quarantine().empty());
    CHECK(hand.pipeline.ledger().pipeline().watermark == 2);
}

TEST_CASE("the reader stops at the limit of open batches, and requests at theirs") {
    PipelineSettings settings = settings_for();
    settings.limits.batches_open_max = 3;
    settings.limits.requests_in_flight_max = 2;
    ByHand hand(settings);
    hand.begins();
    hand.writes();
    for (Revision revision = 1; revision <= 3; ++revision)
        hand.reads(part_of({index_row(revision, "a")}, revision));
    hand.writes();
    CHECK_FALSE(hand.take<ReadPage>());
    const auto first = hand.need<SendBulk>();
    hand.need<SendBulk>();
    CHECK_FALSE(hand.take<SendBulk>());
    hand.answers(first);
    hand.writes();
    CHECK(hand.take<SendBulk>());
    CHECK(hand.take<ReadPage>());
}

TEST_CASE("a quarantine beyond its limit stops the pipeline for a person to decide") {
    PipelineSettings settings = settings_for();
    settings.limits.quarantine_max = 1;
    ByHand hand = with_batch({index_row(1, "a"), index_row(2, "b")}, settings);
    hand.answers(hand.need<SendBulk>(), ItemStatus::rejected);
    CHECK(hand.need<Finish>().error->kind == ErrorKind::decision);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::quarantine_full);
    const auto write = hand.need<WriteJournal>();
    CHECK(holds<journal::ApplyBatch>(write));
    CHECK(holds<journal::SetCondition>(write));
}

TEST_CASE("of a retry whose page was cut, what the page does not reach is asked for again") {
    ByHand hand = with_batch({index_row(1, "a"), index_row(2, "b")});
    hand.answers(hand.need<SendBulk>(), ItemStatus::rejected);
    hand.writes();
    hand.happens(RetryAsked{{}});
    const auto read = hand.need<ReadPage>();
    CHECK(read.request.revisions == revisions({1, 2}));
    hand.happens(PageRead{read.request.id, part_of({index_row(1, "a")}, 1, hand.now)});
    CHECK(hand.need<ReadPage>().request.revisions == revisions({2}));
}

TEST_CASE("an answer to another read than the one under way means nothing") {
    ByHand hand(settings_for());
    const Error gone{ErrorKind::unavailable, "gone", "wait"};
    hand.happens(PageRead{1, page_of(four)});
    hand.happens(ReadFailed{1, gone});
    CHECK(hand.notices("gone") == 0);
    hand.begins();
    hand.writes();
    const auto read = hand.need<ReadPage>();
    hand.happens(PageRead{read.request.id + 1, page_of(four)});
    hand.happens(ReadFailed{read.request.id + 1, gone});
    CHECK(hand.notices("gone") == 0);
    CHECK(hand.pipeline.ledger().open_batches().empty());
    hand.happens(PageRead{read.request.id, page_of(four)});
    CHECK(hand.pipeline.ledger().open_batches().size() == 1);
}

TEST_CASE("a replay whose rows are gone is APPLIED without a request") {
    ByHand hand(settings_for(), left_behind(journal::BatchState::intent));
    hand.begins(2, false);
    hand.reads(page_of({}));
    CHECK(holds<journal::CommitBatches>(hand.need<WriteJournal>()));
    CHECK_FALSE(hand.take<SendBulk>());
}

TEST_CASE("a quarantine that overflows twice in one step ends the pipeline once") {
    PipelineSettings settings = settings_for();
    settings.limits.quarantine_max = 1;
    ByHand hand(settings);
    hand.begins();
    hand.writes();
    hand.reads(part_of({invalid_row(1, "a"), invalid_row(2, "b")}, 2));
    hand.reads(page_of({invalid_row(3, "c")}));
    hand.need<WriteJournal>();
    hand.happens(JournalWritten{hand.need<WriteJournal>().ticket});  // both are on disk
    CHECK(hand.take<Finish>());
    CHECK_FALSE(hand.take<Finish>());
}
