// Outbox mode: the first fill, the rows that are deleted, and the rows that get a new revision.
#include <catch2/catch.hpp>

#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

PipelineSettings outbox_settings(Until until = Until::stopped) {
    PipelineSettings settings = settings_for(until);
    settings.source = {journal::SourceMode::outbox, "karp", "pawl_outbox_lex"};
    return settings;
}

// Rows of the table itself.
std::shared_ptr<Page> table_page(const std::vector<std::string>& entities, bool complete) {
    auto page = std::make_shared<Page>();
    for (const std::string& entity : entities)
        page->add({.revision = 0, .action = Action::index, .entity = entity, .document = "{}"});
    if (!entities.empty()) page->table_through = entities.back();
    page->complete = complete;
    return page;
}

// Past the first fill, of an empty table.
void fill_nothing(ByHand& hand) {
    hand.begins();
    hand.reads(table_page({}, true));
    hand.writes();
}

journal::CommitBatches committed_in(ByHand& hand) {
    for (;;) {
        const auto write = hand.need<WriteJournal>();
        hand.happens(JournalWritten{write.ticket});
        for (const journal::Change& change : write.changes)
            if (const auto* commit = std::get_if<journal::CommitBatches>(&change)) return *commit;
    }
}

// The clean-up that follows when the batch at hand is APPLIED.
CleanUpRequest cleans_up(ByHand& hand) {
    hand.writes();
    return hand.need<CleanUp>().request;
}

void sends_all(ByHand& hand, ItemStatus status = ItemStatus::done) {
    hand.writes();
    while (const auto send = hand.take<SendBulk>())
        hand.answers(*send, status);
}

// As soon as something was read, late rows are looked for, and then not for a while.
void finds_no_late_rows(ByHand& hand) {
    const auto look = hand.need<CleanUp>();
    CHECK(look.request.late_through > 0);
    CHECK(look.request.done.empty());
    hand.happens(CleanedUp{.id = look.request.id});
}

// Comes to an end at revision 7, and has filled in an empty table.
ByHand syncs() {
    ByHand hand(outbox_settings(Until::caught_up));
    hand.happens(Begin{});
    hand.happens(SourceReady{{7}});
    hand.target_is("uuid", true);
    CHECK(hand.pipeline.ledger().pipeline().high == 7);  // what the table has needs no row any more
    hand.reads(table_page({}, true));
    hand.writes();
    return hand;
}

void reads_through(ByHand& hand, Revision end, std::shared_ptr<Page> page) {
    const auto read = hand.need<ReadPage>();
    CHECK(read.request.revisions.highest() == end);
    page->read_at = hand.now;
    hand.answers(read.request, std::move(page));
}

}  // namespace

TEST_CASE("the table is filled in before anything is read from the outbox, page by page, at revision 0") {
    ByHand hand(outbox_settings());
    hand.begins();
    CHECK(hand.pipeline.ledger().pipeline().fill == journal::Fill{});
    const auto first = hand.need<ReadPage>();
    CHECK(first.request.table_after == "");
    CHECK(first.request.revisions.empty());
    hand.happens(PageRead{first.request.id, table_page({"a", "b"}, false)});
    const auto second = hand.need<ReadPage>();
    CHECK(second.request.table_after == "b");
    hand.writes();
    const auto send = hand.need<SendBulk>();
    CHECK(send.request.actions.front().revision == 0);
    hand.happens(PageRead{second.request.id, table_page({"c"}, true)});
    hand.writes();
    CHECK_FALSE(hand.take<ReadPage>());  // the outbox waits for the fill's last batch
    hand.answers(hand.need<SendBulk>());
    hand.writes();
    CHECK_FALSE(hand.take<ReadPage>());
    hand.answers(send);
    const auto commit = committed_in(hand);
    CHECK(commit.batches == std::vector<BatchId>{1, 2});
    CHECK_FALSE(commit.fill);
    CHECK(hand.need<ReadPage>().request.revisions.lowest() == 1);
}

TEST_CASE("the fill's position moves with what is COMMITTED, and a new process goes on there") {
    ByHand hand(outbox_settings());
    hand.begins();
    hand.reads(table_page({"a", "b"}, false));
    sends_all(hand);
    CHECK(hand.pipeline.ledger().pipeline().fill == journal::Fill{"b", 2});
    hand.reads(table_page({"c"}, false));
    hand.writes();

    journal::PipelineSnapshot left{hand.pipeline.ledger().pipeline(), {}, {}, {}};
    journal::Batch open;
    open.id = 2;
    open.pipeline = "lex";
    left.batches.push_back(open);
    ByHand next(outbox_settings(), left);
    Remembered told{.pipeline = "lex", .source = outbox_settings().source, .filling = true};
    next.happens(Begin{});
    next.happens(SourceReady{{0}});
    TargetFacts facts = facts_of("uuid", false);
    facts.remembered = told;
    next.happens(TargetReady{facts});
    CHECK(next.need<ReportRecovery>().steps.front().row->label == "R16");
    CHECK(next.need<ReadPage>().request.table_after == "b");
    CHECK(next.pipeline.ledger().open_batches().empty());
}

TEST_CASE("rows are deleted when APPLIED is on disk, and only then the batch is COMMITTED") {
    ByHand hand(outbox_settings());
    fill_nothing(hand);
    hand.reads(page_of({index_row(3, "a"), index_row(5, "b")}));
    hand.writes();
    finds_no_late_rows(hand);
    hand.answers(hand.need<SendBulk>());
    CHECK_FALSE(hand.take<CleanUp>());
    const CleanUpRequest request = cleans_up(hand);
    CHECK(request.done == revisions({3, 5}));
    CHECK(hand.pipeline.ledger().gaps().empty());
    CHECK(hand.pipeline.ledger().pipeline().watermark == 0);
    hand.happens(CleanedUp{.id = request.id});
    CHECK(committed_in(hand).watermark == 5);
}

TEST_CASE("a clean-up that fails is tried again, with all that is done by then") {
    ByHand hand(outbox_settings());
    fill_nothing(hand);
    hand.reads(page_of({index_row(1, "a")}));
    hand.writes();
    finds_no_late_rows(hand);
    sends_all(hand);
    const CleanUpRequest first = cleans_up(hand);
    hand.happens(CleanUpFailed{first.id, {ErrorKind::unavailable, "deadlock", "wait"}});
    CHECK_FALSE(hand.take<CleanUp>());
    hand.fires(Timer::clean_up_retry);
    CHECK(cleans_up(hand).done == revisions({1}));
}

TEST_CASE("APPLIED batches of a process before are cleaned up again") {
    auto left = left_behind(journal::BatchState::applied);
    left.pipeline.source = outbox_settings().source;
    ByHand hand(outbox_settings(), left);
    hand.begins(2, false);
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R09");
    CHECK(cleans_up(hand).done == revisions({1, 2}));
}

TEST_CASE("the row of an entity in quarantine stays in the outbox until it leaves") {
    ByHand hand(outbox_settings());
    fill_nothing(hand);
    hand.reads(page_of({index_row(1, "a"), index_row(2, "a"), index_row(3, "b")}));
    hand.writes();
    finds_no_late_rows(hand);
    const auto send = hand.need<SendBulk>();
    REQUIRE(send.request.actions.size() == 2);
    hand.happens(
        BulkAnswered{send.request.id, {{ItemStatus::rejected, "mapper_parsing_exception", "no", {}}, {}}});
    CleanUpRequest request = cleans_up(hand);
    CHECK(request.done == revisions({1, 3}));
    hand.happens(CleanedUp{.id = request.id});
    CHECK(committed_in(hand).watermark == 3);

    hand.fires(Timer::poll);
    hand.reads(page_of({index_row(4, "a")}));
    sends_all(hand);
    CHECK(cleans_up(hand).done == revisions({2, 4}));
}

TEST_CASE(
    "late rows are looked for up to high, but for what is known, and the outbox is read again after them") {
    ByHand hand = syncs();
    const CleanUpRequest look = hand.need<CleanUp>().request;
    CHECK(look.late_through == 7);
    CHECK(look.known.empty());
    hand.happens(CleanedUp{.id = look.id, .late = 1, .end = 9});
    hand.writes();
    CHECK_FALSE(hand.pipeline.finished());
    auto read = hand.need<ReadPage>();
    CHECK(read.request.revisions ==
          IntervalSet({Interval{8, 9}}));  // the new row is above where it was to end
    hand.happens(PageRead{read.request.id, page_of({index_row(8, "a")}, hand.now)});
    sends_all(hand);
    const CleanUpRequest request = cleans_up(hand);
    CHECK(request.done == revisions({8}));
    hand.happens(CleanedUp{.id = request.id, .end = 9});
    hand.writes();
    CHECK(hand.pipeline.finished());
}

TEST_CASE("who is to come to an end does not run after rows that commit late while it runs") {
    ByHand hand = syncs();
    const CleanUpRequest first = hand.need<CleanUp>().request;
    hand.happens(CleanedUp{.id = first.id, .late = 1, .more_late = true, .end = 8});
    reads_through(hand, 8, page_of({index_row(8, "a")}));
    const CleanUpRequest second = hand.need<CleanUp>().request;  // what the first look has left
    hand.happens(CleanedUp{.id = second.id, .late = 1, .end = 10});
    reads_through(hand, 10, page_of({index_row(10, "b")}));
    hand.now += Limits{}.poll_interval_ms;
    sends_all(hand);
    const CleanUpRequest third = cleans_up(hand);
    CHECK(third.late_through == 10);
    hand.happens(CleanedUp{.id = third.id, .late = 1, .more_late = true, .end = 12});
    const CleanUpRequest fourth = cleans_up(hand);
    CHECK(fourth.done == revisions({8, 10}));
    hand.happens(CleanUpFailed{fourth.id, Error{ErrorKind::unavailable, "lock wait timeout", ""}});
    hand.fires(Timer::clean_up_retry);
    const CleanUpRequest fifth = cleans_up(hand);  // of rows that it can do without the failure moves no end
    CHECK(fifth.done == revisions({8, 10}));
    CHECK(fourth.late_through == 10);
    CHECK_FALSE(fourth.wants_end);
    hand.happens(CleanedUp{.id = fifth.id, .late = 1, .more_late = true});
    hand.writes();
    CHECK(hand.pipeline.finished());
}

TEST_CASE("a clean-up that may have taken effect gives who is to come to an end another end") {
    ByHand hand = syncs();
    hand.happens(CleanUpFailed{hand.need<CleanUp>().request.id, Error{ErrorKind::unavailable, "gone", ""}});
    hand.fires(Timer::poll);
    reads_through(hand, journal::revision_max, page_of({}));
    hand.writes();
    hand.fires(Timer::clean_up_retry);
    const CleanUpRequest again = hand.need<CleanUp>().request;
    CHECK(again.late_through == 7);
    CHECK(again.wants_end);
    hand.happens(CleanedUp{.id = again.id, .end = 9});  // nothing is late any more
    CHECK_FALSE(hand.pipeline.finished());
    hand.reads(page_of({index_row(9, "a")}));
    sends_all(hand);
    const CleanUpRequest done = cleans_up(hand);
    hand.happens(CleanedUp{.id = done.id, .end = 12});
    hand.writes();
    CHECK(hand.pipeline.finished());
}

TEST_CASE(
    "an action that was beaten by a version nobody here has sent gets a new row before it counts as "
    "applied") {
    ByHand hand(outbox_settings());
    fill_nothing(hand);
    hand.reads(page_of({index_row(1, "a")}));
    hand.writes();
    finds_no_late_rows(hand);
    const auto send = hand.need<SendBulk>();
    hand.happens(BulkAnswered{send.request.id, {{ItemStatus::superseded, "conflict", "", 9}}});
    const auto clean_up = hand.need<CleanUp>();
    CHECK(clean_up.request.renew == revisions({1}));
    CHECK(clean_up.request.done.empty());
    CHECK_FALSE(hand.pipeline.ledger().open_batches().at(1).applied);
    hand.happens(CleanedUp{.id = clean_up.request.id});
    CHECK(cleans_up(hand).done == revisions({1}));
}

TEST_CASE("what the index rejects of the table gets a row in the outbox before the fill's batch is APPLIED") {
    ByHand hand(outbox_settings());
    hand.begins();
    hand.reads(table_page({"a", "b", "c"}, true));
    hand.writes();
    const auto send = hand.need<SendBulk>();
    const ItemResult no{ItemStatus::rejected, "mapper_parsing_exception", "no", {}};
    hand.happens(BulkAnswered{send.request.id, {no, {}, no}});
    const auto clean_up = hand.need<CleanUp>();
    CHECK(clean_up.request.entities == std::vector<std::string>{"a", "c"});
    CHECK_FALSE(hand.pipeline.ledger().open_batches().at(1).applied);
    hand.happens(CleanedUp{.id = clean_up.request.id});
    hand.writes();
    CHECK_FALSE(hand.pipeline.ledger().pipeline().fill);
    CHECK(hand.pipeline.ledger().quarantine().empty());
}

TEST_CASE(
    "what can be no document's id goes to quarantine without a row in the outbox, until its row changes") {
    ByHand hand(outbox_settings());
    hand.begins();
    auto table = table_page({"a"}, true);
    table->add({.revision = 0,
                .action = Action::invalid,
                .entity = "none",
                .document = "too long",
                .error = "entity_too_long"});
    hand.reads(table);
    sends_all(hand);
    CHECK_FALSE(hand.take<CleanUp>());
    CHECK_FALSE(hand.pipeline.ledger().pipeline().fill);
    CHECK(hand.pipeline.ledger().quarantine().contains("none"));

    hand.happens(RetryAsked{});  // there is no row of it to read
    hand.reads(page_of({index_row(1, "none")}));
    hand.writes();
    finds_no_late_rows(hand);
    sends_all(hand);
    CHECK(cleans_up(hand).done == revisions({1}));
    CHECK(hand.pipeline.ledger().quarantine().empty());
}

TEST_CASE("of an outbox's quarantine the index is told what it can list, and the revision all the same") {
    auto left = left_behind(journal::BatchState::committed, 1'000);
    left.pipeline.source = outbox_settings().source;
    left.pipeline.watermark = 1'000;
    for (Revision revision = 1; revision <= limits::owed_max + 1; ++revision)
        left.quarantine.push_back(entry_of("e" + std::to_string(revision), revision));
    left.quarantine.push_back(entry_of("of the table", 0));
    ByHand hand(outbox_settings(), left);
    hand.checkpoint_at_once = false;
    hand.begins(1'000, false);
    const auto told = hand.need<WriteCheckpoint>().remembered;
    CHECK(told.owed == IntervalSet({Interval{1, limits::owed_max}}));
    CHECK(told.revision == 1'000);
}

TEST_CASE("an index that is gone by the time that it is told who feeds it gets nothing before it is found") {
    ByHand hand(outbox_settings());
    hand.checkpoint_at_once = false;
    hand.begins();
    hand.reads(table_page({"a"}, true));
    hand.need<WriteCheckpoint>();
    hand.happens(CheckpointFailed{{ErrorKind::target_missing, "moved", ""}});
    hand.writes();
    CHECK_FALSE(hand.take<WriteCheckpoint>());
    CHECK_FALSE(hand.take<SendBulk>());
    hand.fires(Timer::prepare_retry);
    hand.need<PrepareTarget>();
    hand.target_is("uuid", false);
    hand.need<WriteCheckpoint>();
    hand.happens(CheckpointWritten{});
    hand.need<SendBulk>();
}

TEST_CASE("an index that is not the one the rows were deleted for is not fed before a person has decided") {
    auto left = left_behind(journal::BatchState::committed);
    left.pipeline.source = outbox_settings().source;
    ByHand hand(outbox_settings(), left);
    hand.begins(2, false, "another");
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::refill_needed);
    const auto finish = hand.need<Finish>();
    REQUIRE(finish.error);
    CHECK(finish.error->kind == ErrorKind::decision);
    CHECK_FALSE(hand.take<ReadPage>());
}

TEST_CASE("an index that a rebuild has put in the place of the one that rows were deleted for is taken up") {
    auto left = left_behind(journal::BatchState::committed, 7);
    left.pipeline.source = outbox_settings().source;
    left.pipeline.watermark = left.pipeline.high;
    const std::string before = left.pipeline.target.uuid;
    for (const auto& [replaces, label] : {std::pair{before, "R10"}, std::pair{std::string("a third"), "R18"},
                                          std::pair{std::string(), "R18"}}) {
        INFO(replaces);
        ByHand hand(outbox_settings(), left);
        hand.history_end = 20;
        hand.checkpoint_at_once = false;
        hand.happens(Begin{});
        hand.happens(SourceReady{{20}});
        TargetFacts facts = facts_of("of the rebuild", false);
        facts.remembered = Remembered{
            .pipeline = "lex", .source = outbox_settings().source, .revision = 1, .replaces = replaces};
        hand.happens(TargetReady{facts});
        CHECK(hand.need<ReportRecovery>().steps.front().row->label == label);
        if (replaces != before) continue;
        CHECK(hand.need<WriteCheckpoint>().remembered.replaces.empty());
        CHECK(hand.pipeline.ledger().pipeline().high == 20);  // what the outbox holds is renewed
    }
}

TEST_CASE("an id is taken at a start only, and where those that are known of were handed out") {
    auto left = left_behind(journal::BatchState::committed, 7);
    left.pipeline.source = outbox_settings().source;
    ByHand hand(outbox_settings(), left);
    hand.look_up_at_once = false;
    hand.history_end = 9;
    hand.begins(9, false);
    const auto first = hand.need<LookUp>().request;
    CHECK(first.take_id_from == 7);
    LookUpAnswer answer = hand.intact(first);
    answer.history_end = 10;
    hand.happens(LookedUp{first.id, answer});
    CHECK(hand.pipeline.history_end() == 10);
    hand.happens(TimerFired{Timer::checkpoint});
    CHECK_FALSE(hand.need<LookUp>().request.take_id_from);
}

TEST_CASE("an outbox whose counter is below what was read from it is not the one that it was") {
    auto left = left_behind(journal::BatchState::committed, 7);
    left.pipeline.source = outbox_settings().source;
    ByHand hand(outbox_settings(), left);
    hand.history_end = 3;
    hand.begins(3, false);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::source_regressed);
}

TEST_CASE("an index that is taken up is told so before anything is sent to it, or at least was tried to be") {
    const bool is_told = GENERATE(true, false);
    ByHand hand(outbox_settings());
    hand.checkpoint_at_once = false;
    hand.begins();
    hand.reads(table_page({"a"}, true));
    hand.writes();
    CHECK_FALSE(hand.take<SendBulk>());
    hand.need<WriteCheckpoint>();
    if (is_told)
        hand.happens(CheckpointWritten{});
    else
        hand.happens(CheckpointFailed{{ErrorKind::forbidden, "no right to write _meta", "grant it"}});
    hand.need<SendBulk>();
}

// A rebuild goes on with what the new index says of itself, and takes one that says nothing for none of its
// own.
TEST_CASE(
    "an index that was filled from an empty table is told of it before `sync` ends, as often as it takes") {
    ByHand hand(outbox_settings(Until::caught_up));
    hand.checkpoint_at_once = false;
    fill_nothing(hand);
    hand.need<WriteCheckpoint>();
    hand.happens(CheckpointFailed{{ErrorKind::unavailable, "it got lost", "wait"}});
    while (const auto clean_up = hand.take<CleanUp>())
        hand.happens(CleanedUp{clean_up->request.id, 0, 0, false});
    hand.writes();
    CHECK_FALSE(hand.take<Finish>());
    hand.fires(Timer::send_retry);
    hand.need<WriteCheckpoint>();
    hand.happens(CheckpointWritten{});
    hand.writes();
    CHECK(hand.take<Finish>());
}

// Late rows are looked for all the while, and found: nothing of that says that the index can be told.
TEST_CASE("`sync` that cannot tell a filled index of it ends with what the index says") {
    ByHand hand(outbox_settings(Until::caught_up));
    hand.checkpoint_at_once = false;
    fill_nothing(hand);
    std::optional<Finish> finish;
    const TimeMs begun = hand.now;
    while (!finish && hand.now < begun + 10 * settings_for().limits.give_up_after_ms) {
        while (const auto clean_up = hand.take<CleanUp>())
            hand.happens(CleanedUp{clean_up->request.id, 0, 0, false});
        if (hand.take<WriteCheckpoint>())
            hand.happens(CheckpointFailed{{ErrorKind::unavailable, "read-only index", "make room"}});
        hand.writes();
        hand.now += 1'000;
        hand.fires(Timer::send_retry);
        hand.fires(Timer::poll);
        finish = hand.take<Finish>();
    }
    REQUIRE(finish);
    REQUIRE(finish->error);
    CHECK_THAT(finish->error->message, Catch::Contains("read-only index"));
}

TEST_CASE("who takes an index up tells it so also where that is what it has heard from the pawl before") {
    ByHand hand(outbox_settings());
    hand.checkpoint_at_once = false;
    hand.happens(Begin{});
    hand.happens(SourceReady{{4}});
    TargetFacts facts = facts_of("uuid", false);
    facts.remembered = Remembered{
        .pipeline = "lex", .source = outbox_settings().source, .revision = 4, .written_at = hand.now - 1};
    hand.happens(TargetReady{facts});
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R03");
    const auto claim = hand.need<WriteCheckpoint>();
    CHECK(claim.remembered.revision == 4);
    CHECK(claim.remembered.written_at == hand.now);
}

TEST_CASE(
    "an index that was told something by another pawl is taken up anew, with all of the outbox as late") {
    const bool by_another = GENERATE(true, false);
    auto left = left_behind(journal::BatchState::committed, 4);
    left.pipeline.source = outbox_settings().source;
    left.pipeline.checkpoint = journal::Checkpoint{4, 1'000};
    ByHand hand(outbox_settings(), left);
    hand.happens(Begin{});
    hand.happens(SourceReady{{9}});
    TargetFacts facts = facts_of("uuid", false);
    facts.remembered = Remembered{.pipeline = "lex",
                                  .source = outbox_settings().source,
                                  .revision = 4,
                                  .written_at = by_another ? 1'001 : 1'000};
    hand.happens(TargetReady{facts});
    CHECK(hand.need<ReportRecovery>().steps.front().row->label == (by_another ? "R13" : "R07"));
    CHECK(hand.pipeline.ledger().pipeline().high == (by_another ? 9 : 4));
}

TEST_CASE("until when a request may begin follows from its rows' age; those of the fill do not grow old") {
    ByHand hand(outbox_settings());
    hand.begins();
    auto table = table_page({"a"}, true);
    hand.reads(table);
    constexpr TimeMs minute = 60'000;
    hand.now += minute;  // longer than half of gc_deletes, which is a minute
    hand.writes();
    const auto fill = hand.need<SendBulk>();
    CHECK(fill.request.begin_before == hand.now + minute / 2);
    hand.answers(fill);
    hand.writes();
    hand.reads(page_of({index_row(1, "a")}));
    const TimeMs read_at = hand.now;
    constexpr TimeMs second = 1'000;
    hand.now += second;
    hand.writes();
    CHECK(hand.need<SendBulk>().request.begin_before == read_at + minute / 2);
}
