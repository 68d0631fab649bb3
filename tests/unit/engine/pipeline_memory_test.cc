// What the index remembers: what it is told, and what follows when it says something else.
#include <catch2/catch.hpp>

#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

Remembered remembered(Revision revision) {
    return {.pipeline = "lex", .source = settings_for().source, .revision = revision};
}

journal::PipelineSnapshot told_through(Revision told, Revision high) {
    auto left = left_behind(journal::BatchState::committed, high);
    left.pipeline.watermark = high;
    left.pipeline.checkpoint = journal::Checkpoint{told, 1};
    return left;
}

// Begins with an index that remembers this; the label that recovery gives.
std::string label_of(ByHand& hand, std::optional<Remembered> memory, const std::string& uuid = "uuid") {
    hand.happens(Begin{});
    hand.happens(SourceReady{{100, 0}});
    TargetFacts facts = facts_of(uuid, false);
    facts.remembered = std::move(memory);
    hand.happens(TargetReady{facts});
    return std::string(hand.need<ReportRecovery>().steps.front().row->label);
}

}  // namespace

TEST_CASE("what the index remembers is held against what it was told") {
    const auto label = [](std::optional<Remembered> memory, const std::string& uuid = "uuid") {
        ByHand hand(settings_for(), told_through(5, 9));
        return label_of(hand, std::move(memory), uuid);
    };
    CHECK(label(remembered(5)) == "R07");
    CHECK(label(remembered(9)) == "R07");  // told, and killed before the journal knew
    CHECK(label(remembered(4)) == "R11");
    CHECK(label(std::nullopt) == "R12");
    CHECK(label(remembered(10)) == "R13");
    CHECK(label(remembered(4), "another") == "R10");
    CHECK(label(std::nullopt, "another") == "R06");
    auto others = remembered(4);
    others.source.table = "other";
    CHECK(label(others, "another") == "R04");
    CHECK(label(others) == "R04");
}

TEST_CASE("a journal that knows nothing goes on from what the index remembers, and reads what it owes") {
    ByHand hand(settings_for());
    auto memory = remembered(50);
    memory.owed = revisions({7, 20});
    CHECK(label_of(hand, memory) == "R03");
    const auto& ledger = hand.pipeline.ledger();
    CHECK(ledger.pipeline().high == 50);
    CHECK(ledger.pipeline().watermark == 6);
    CHECK(ledger.gaps() == memory.owed);
    auto read = hand.need<ReadPage>();
    CHECK(read.request.latest);
    CHECK(read.request.revisions == memory.owed);
}

TEST_CASE(
    "a pipeline that begins tells the index whose it is; a moved watermark is told with the next look") {
    ByHand hand(settings_for());
    hand.checkpoint_at_once = false;
    hand.begins();
    const auto first = hand.need<WriteCheckpoint>().remembered;
    CHECK(first.revision == 0);
    hand.happens(CheckpointWritten{});
    hand.writes();
    hand.reads(page_of({index_row(1, "a"), index_row(2, "b")}));
    hand.writes();
    const auto send = hand.need<SendBulk>();
    hand.happens(BulkAnswered{send.request.id, {{}, {ItemStatus::rejected, "an_error", "a reason", {}}}});
    hand.writes();
    CHECK_FALSE(hand.take<WriteCheckpoint>());
    hand.fires(Timer::checkpoint);
    hand.need<PrepareTarget>();
    TargetFacts facts = facts_of("uuid", false);
    facts.remembered = first;
    hand.happens(TargetReady{facts});
    const auto told = hand.need<WriteCheckpoint>().remembered;
    CHECK(told.revision == 2);
    CHECK(told.owed == revisions({2}));  // it is in quarantine
    hand.happens(CheckpointWritten{});
    CHECK(hand.pipeline.ledger().pipeline().checkpoint->revision == 2);
}

TEST_CASE("quarantine is listed as owed; when there is too much of it the revision stays below") {
    auto left = told_through(0, 1'000);
    left.pipeline.checkpoint.reset();
    for (Revision revision = 1; revision <= limits::owed_max + 1; ++revision)
        left.quarantine.push_back(entry_of("e" + std::to_string(revision), 2 * revision));
    ByHand hand(settings_for(Until::recovered), left);
    hand.checkpoint_at_once = false;
    CHECK(label_of(hand, std::nullopt) == "R07");
    hand.writes();
    const auto told = hand.need<WriteCheckpoint>().remembered;
    CHECK(told.owed.count() == limits::owed_max);
    CHECK(told.revision == 2 * (limits::owed_max + 1) - 1);
    CHECK_FALSE(hand.take<Finish>());
    hand.happens(CheckpointFailed{{ErrorKind::unavailable, "no", "wait"}});
    CHECK_FALSE(hand.need<Finish>().error);  // nothing depends on it
}

TEST_CASE("an index that remembers another shape is taken up with its anchor made anew, and both are told") {
    ByHand hand(settings_for());
    hand.checkpoint_at_once = false;
    auto memory = remembered(50);
    memory.anchor = journal::Anchor{50, 4711};
    memory.shape = 3;
    CHECK(label_of(hand, memory) == "R03");
    CHECK(hand.pipeline.ledger().pipeline().anchors ==
          std::vector<journal::Anchor>{{50, ByHand::digest_of(50)}});
    CHECK(hand.notices("the document's shape has changed") == 1);
    const auto told = hand.need<WriteCheckpoint>().remembered;
    CHECK(told.shape == 0);
    CHECK(told.revision == 50);
}

// It is excused by the journal's newer anchor, which the index that is taken up does not know of.
TEST_CASE("an anchor that was pruned before somebody put an older _meta back is not taken up") {
    for (const bool is_there : {true, false}) {
        auto left = told_through(5, 9);
        left.pipeline.anchors = {{9, ByHand::digest_of(9)}};
        ByHand hand(settings_for(), left);
        hand.look_up_at_once = false;
        auto memory = remembered(4);
        memory.anchor = journal::Anchor{4, ByHand::digest_of(4)};
        hand.happens(Begin{});
        hand.happens(SourceReady{{100, 0}});
        TargetFacts facts = facts_of("uuid", false);
        facts.remembered = memory;
        hand.happens(TargetReady{facts});
        const auto asked = hand.need<LookUp>().request;
        LookUpAnswer answer = hand.intact(asked);
        REQUIRE(asked.anchors == std::vector<Revision>{9, 4});
        if (!is_there) answer.anchors[1].reset();
        hand.happens(LookedUp{asked.id, answer});
        CHECK(hand.need<ReportRecovery>().steps.front().row->label == "R11");
        CHECK(hand.pipeline.ledger().pipeline().anchors.size() == (is_there ? 1 : 0));
    }
}

TEST_CASE("an index that another name of this pipeline has fed is told the new one") {
    ByHand hand(settings_for());
    hand.checkpoint_at_once = false;
    auto memory = remembered(50);
    memory.pipeline = "as it was called before";
    CHECK(label_of(hand, memory) == "R03");
    CHECK(hand.need<WriteCheckpoint>().remembered.pipeline == "lex");
}

TEST_CASE("an index that goes while it is told something is looked for again; it was told all the same") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(page_of({index_row(1, "a"), index_row(2, "b")}));
    hand.writes();
    hand.answers(hand.need<SendBulk>());
    hand.writes();
    hand.fires(Timer::poll);
    hand.reads(page_of({index_row(3, "c")}));
    hand.writes();
    const auto send = hand.need<SendBulk>();
    hand.checkpoint_at_once = false;
    hand.fires(Timer::checkpoint);
    hand.need<PrepareTarget>();
    hand.target_is("uuid", false);
    CHECK(hand.need<WriteCheckpoint>().remembered.revision == 2);
    hand.fails(send, ErrorKind::target_missing);
    hand.happens(CheckpointWritten{});
    CHECK(hand.pipeline.ledger().pipeline().checkpoint->revision == 2);
    hand.fires(Timer::prepare_retry);
    CHECK(hand.take<PrepareTarget>());
}

TEST_CASE("an index that is another one by the time it is told makes the target looked for") {
    ByHand hand(settings_for());
    hand.checkpoint_at_once = false;
    hand.begins();
    hand.need<WriteCheckpoint>();
    hand.happens(CheckpointFailed{{ErrorKind::target_missing, "moved", ""}});
    hand.fires(Timer::prepare_retry);
    CHECK(hand.take<PrepareTarget>());
}

TEST_CASE("a new index gets only what it needs, as far as the history went when it was made") {
    ByHand hand(settings_for());
    hand.begins(5);
    hand.writes();
    const auto fill = hand.need<ReadPage>().request;
    CHECK(fill.fill);
    CHECK(fill.revisions == IntervalSet({Interval{1, 5}}));
    const auto page = page_of({index_row(5, "a")}, hand.now);
    page->seen = IntervalSet({Interval{1, 5}});
    page->covered_through = 5;
    hand.happens(PageRead{fill.id, page});
    const auto tail = hand.need<ReadPage>().request;
    CHECK_FALSE(tail.fill);
    CHECK(tail.revisions.lowest() == 6);
}

TEST_CASE("a history that ends below what a fill counted on went back, though all that was read is there") {
    ByHand hand(settings_for());
    hand.begins(5);
    hand.writes();
    const auto fill = hand.need<ReadPage>().request;
    const auto page =
        part_of({index_row(2, "a")}, 2, hand.now);  // row 1 is left out, for its entity has row 5
    page->seen = IntervalSet({Interval{1, 2}});
    hand.answers(fill, page);
    REQUIRE(hand.pipeline.ledger().pipeline().anchors.size() == 1);
    CHECK(hand.pipeline.ledger().pipeline().anchors.front() == journal::Anchor{5, ByHand::digest_of(5)});
    hand.look_up_at_once = false;
    hand.fires(Timer::checkpoint);
    const auto look_up = hand.need<LookUp>().request;
    CHECK(look_up.anchors == std::vector<Revision>{5});
    hand.happens(LookedUp{look_up.id, LookUpAnswer{.history_end = 3, .anchors = {std::nullopt}}});
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::source_regressed);
}

TEST_CASE("what a fill has sent can be counted, unless something else was sent too") {
    ByHand hand(settings_for());
    hand.begins(4);
    hand.writes();
    auto fill = hand.need<ReadPage>().request;
    const auto first = part_of({index_row(1, "a"), remove_row(2, "b"), invalid_row(3, "c")}, 3, hand.now);
    hand.happens(PageRead{fill.id, first});
    fill = hand.need<ReadPage>().request;
    CHECK(fill.fill);
    const auto rest = page_of({index_row(4, "d")}, hand.now);
    rest->covered_through = 4;
    hand.happens(PageRead{fill.id, rest});
    REQUIRE(hand.pipeline.filled());
    CHECK(*hand.pipeline.filled() == Filled{2, 1 + 4});

    const auto tail = hand.need<ReadPage>().request;
    CHECK_FALSE(tail.fill);
    hand.answers(tail, page_of({}, hand.now));
    CHECK(hand.pipeline.filled());  // nothing came
    hand.fires(Timer::poll);
    hand.reads(page_of({index_row(5, "a")}));
    CHECK_FALSE(hand.pipeline.filled());
}

TEST_CASE("an index that was there before cannot be counted by what was sent to it") {
    ByHand hand(settings_for());
    hand.begins(5, false);
    hand.writes();
    hand.reads(page_of({index_row(5, "a")}));
    CHECK_FALSE(hand.pipeline.filled());
}

TEST_CASE("what a fill does not show is dead only by the proof from before its scan") {
    ByHand hand(settings_for());
    hand.begins(5);
    hand.writes();
    auto part = part_of({index_row(1, "a")}, 1, hand.now);
    hand.happens(PageRead{hand.need<ReadPage>().request.id, part});
    // By now the transaction of revision 3 has ended, and the scan from before does not show it.
    hand.proof = Proof{Proof::Outcome::proven, 5, {}};
    hand.now += 60'000;
    hand.fires(Timer::poll);
    const auto page = page_of({index_row(2, "b"), index_row(5, "c")}, hand.now);
    page->covered_through = 5;
    hand.happens(PageRead{hand.need<ReadPage>().request.id, page});
    CHECK(hand.pipeline.ledger().gaps() == IntervalSet({Interval{3, 4}}));
}

TEST_CASE("entities that were found to differ are sent again as their latest rows, once") {
    auto left = told_through(9, 9);
    ByHand hand(settings_for(), left);
    CHECK(label_of(hand, remembered(9)) == "R07");
    hand.reads(page_of({}));
    hand.happens(RepairAsked{revisions({4, 77})});
    const auto read = hand.need<ReadPage>().request;
    CHECK(read.latest);
    CHECK(read.revisions == revisions({4}));  // 77 comes by itself
    const auto page = page_of({index_row(8, "a")}, hand.now);
    page->seen = revisions({4});
    hand.happens(PageRead{read.id, page});
    hand.writes();
    CHECK(hand.need<SendBulk>().request.actions.front().revision == 8);
}

TEST_CASE(
    "an index that was fed with other entities is refused, and says with which; an older one says nothing") {
    const auto begun = [](const std::string& told, const std::string& now) {
        PipelineSettings settings = settings_for();
        settings.source.mode = journal::SourceMode::outbox;
        settings.entities = now;
        ByHand hand(settings);
        auto memory = remembered(50);
        memory.source = settings.source;
        memory.entities = told;
        CHECK(hand.pipeline.ledger().known() == false);
        const std::string label = label_of(hand, memory);
        return std::pair(label, std::move(hand));
    };
    CHECK(begun("lex by {id}", "lex by {id}").first == "R03");
    auto [label, older] = begun("", "lex by {id}");
    CHECK(label == "R03");
    CHECK(older.pipeline.ledger().pipeline().high > 0);
    auto [refused, hand] = begun("lex by {id}", "lex2 by {id}");
    CHECK(refused == "R04");
    const Error error = *hand.need<Finish>().error;
    CHECK(error.kind == ErrorKind::decision);
    CHECK_THAT(error.message, Catch::EndsWith("fed with lex by {id}, and the config says lex2 by {id}"));
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::source_changed);
}
