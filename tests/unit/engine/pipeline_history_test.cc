// Is the history still the one that the index was fed from?
#include <catch2/catch.hpp>

#include "engine/history_check.h"
#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

journal::PipelineSnapshot with_anchor(Revision revision, std::uint64_t shape = 1) {
    auto left = left_behind(journal::BatchState::committed, revision);
    left.pipeline.watermark = revision;
    left.pipeline.shape = shape;
    left.pipeline.anchors = {{revision, ByHand::digest_of(revision)}};
    return left;
}

// The look-up at start waits for an answer.
struct Looking {
    explicit Looking(journal::PipelineSnapshot left) : hand(settings_for(), std::move(left)) {
        hand.look_up_at_once = false;
        hand.shape = 1;
        hand.happens(Begin{});
        hand.happens(SourceReady{{100, 1}});
        hand.target_is("uuid", false);
        asked = hand.need<LookUp>().request;
    }
    void answered(LookUpAnswer answer) { hand.happens(LookedUp{asked.id, std::move(answer)}); }
    std::string label() { return std::string(hand.need<ReportRecovery>().steps.front().row->label); }
    ByHand hand;
    LookUpRequest asked;
};

}  // namespace

TEST_CASE("a row that is gone or another one, or a history that ends too early, stops the pipeline") {
    const auto stopped = [](auto change) {
        Looking looking(with_anchor(9));
        LookUpAnswer answer = looking.hand.intact(looking.asked);
        change(answer);
        looking.answered(answer);
        const auto error = looking.hand.need<Finish>().error;
        CHECK(error->kind == ErrorKind::decision);
        CHECK_THAT(error->advice, Catch::Contains("start pawl again"));
        CHECK(looking.label() == "R15");
        CHECK(looking.hand.pipeline.ledger().pipeline().condition == journal::Condition::source_regressed);
        CHECK_FALSE(looking.hand.take<ReadPage>());
        return error->message;
    };
    CHECK_THAT(stopped([](auto& answer) { answer.anchors[0].reset(); }), Catch::Contains("9 is gone"));
    CHECK_THAT(stopped([](auto& answer) { answer.anchors[0] = 1; }), Catch::Contains("9 is another one"));
    CHECK_THAT(stopped([](auto& answer) { answer.history_end = 8; }), Catch::Contains("ends at revision 8"));
}

TEST_CASE("of another shape the half is compared that is of revision and entity") {
    for (const std::uint64_t shape : {0, 1, 2}) {
        Looking looking(with_anchor(9, shape));
        LookUpAnswer answer = looking.hand.intact(looking.asked);
        answer.anchors[0] = ByHand::digest_of(9) + (std::uint64_t{1} << 32);
        looking.answered(answer);
        CHECK(looking.label() == (shape == 0 ? "R07" : "R15"));
    }
}

TEST_CASE("digests of another shape are made anew, and that is told") {
    Looking looking(with_anchor(9));
    LookUpAnswer answer = looking.hand.intact(looking.asked);
    answer.shape = 2;
    answer.anchors[0] = 4711;
    looking.answered(answer);
    CHECK(looking.label() == "R07");
    CHECK(looking.hand.notices("the document's shape has changed") == 1);
    CHECK(looking.hand.pipeline.ledger().pipeline().shape == 2);
    CHECK(looking.hand.pipeline.ledger().pipeline().anchors == std::vector<journal::Anchor>{{9, 4711}});
}

TEST_CASE(
    "with another shape an anchor whose row is gone is dropped; where none was known, there is no news") {
    auto left = with_anchor(9);
    left.pipeline.anchors.insert(left.pipeline.anchors.begin(), {5, ByHand::digest_of(5)});
    Looking looking(std::move(left));
    LookUpAnswer answer = looking.hand.intact(looking.asked);
    answer.shape = 2;
    answer.anchors = {std::nullopt, 4711};
    looking.answered(answer);
    CHECK(looking.hand.pipeline.ledger().pipeline().anchors == std::vector<journal::Anchor>{{9, 4711}});

    Looking first(with_anchor(9, 0));
    first.answered(first.hand.intact(first.asked));
    CHECK(first.hand.pipeline.ledger().pipeline().shape == 1);
    CHECK(first.hand.notices("the document's shape has changed") == 0);
}

TEST_CASE("digests of another shape are made anew of those anchors that were asked for") {
    auto left = left_behind(journal::BatchState::intent, 9);
    left.pipeline.shape = 1;
    left.pipeline.anchors = {{8, ByHand::digest_of(8)}};
    Looking looking(std::move(left));
    ByHand& hand = looking.hand;
    looking.answered(hand.intact(looking.asked));
    auto page = page_of({index_row(9, "a")});
    page->seen = revisions({1, 2, 3, 4, 5, 6, 7, 8, 9});
    page->shape = 1;
    page->anchor = journal::Anchor{9, ByHand::digest_of(9)};
    hand.reads(page);
    const auto send = hand.need<SendBulk>();
    hand.fires(Timer::checkpoint);
    const auto asked = hand.need<LookUp>().request;
    REQUIRE(asked.anchors == std::vector<Revision>{8});
    hand.answers(send);  // it is APPLIED, with the newer anchor
    hand.writes();
    REQUIRE(hand.pipeline.ledger().pipeline().anchors.back().revision == 9);
    LookUpAnswer answer = hand.intact(asked);
    answer.shape = 2;
    hand.happens(LookedUp{asked.id, answer});
    CHECK(hand.pipeline.ledger().pipeline().anchors ==
          std::vector<journal::Anchor>{{8, ByHand::digest_of(8)}});
}

TEST_CASE("a fill begins without an anchor where the history's last row is gone or has another shape") {
    for (const bool is_gone : {true, false}) {
        ByHand hand(settings_for());
        hand.look_up_at_once = false;
        hand.begins(5);
        const auto look_up = hand.need<LookUp>().request;
        CHECK(look_up.anchors == std::vector<Revision>{5});
        LookUpAnswer answer = hand.intact(look_up);
        if (is_gone)
            answer.anchors = {std::nullopt};
        else
            answer.shape = 2;
        hand.happens(LookedUp{look_up.id, answer});
        CHECK(hand.need<ReadPage>().request.fill);
        CHECK(hand.pipeline.ledger().pipeline().anchors.empty());
    }
}

TEST_CASE("a page of another shape than the pipeline's leaves no anchor") {
    for (const std::uint64_t shape : {0, 1}) {
        ByHand hand(settings_for());
        hand.begins();
        hand.writes();
        auto page = page_of({index_row(1, "a")});
        page->shape = shape;
        page->anchor = journal::Anchor{1, 4711};
        hand.reads(page);
        CHECK(hand.pipeline.ledger().pipeline().anchors.size() == (shape == 0 ? 1 : 0));
    }
}

TEST_CASE("an old anchor may be gone, but not another row") {
    auto left = with_anchor(9);
    left.pipeline.anchors.insert(left.pipeline.anchors.begin(), {5, ByHand::digest_of(5)});
    HistoryQuestion question;
    for (const auto& anchor : left.pipeline.anchors)
        question.anchors.push_back({anchor, 1});
    LookUpAnswer answer{.history_end = 20, .shape = 1, .anchors = {std::nullopt, ByHand::digest_of(9)}};
    CHECK_FALSE(why_went_back(question, answer));
    answer.anchors[0] = 1;
    CHECK_THAT(*why_went_back(question, answer), Catch::Contains("revision 5 is another one"));
}

TEST_CASE("a read of new rows that does not see the anchor's row beside them is not taken") {
    Looking looking(with_anchor(9));
    looking.answered(looking.hand.intact(looking.asked));
    looking.hand.writes();
    const auto read = looking.hand.need<ReadPage>().request;
    CHECK(read.beside == 9);
    const auto page = page_of({index_row(10, "a")}, looking.hand.now);
    page->shape = 1;
    page->digest_beside = 1;
    looking.hand.happens(PageRead{read.id, page});
    CHECK_THAT(looking.hand.need<Finish>().error->message, Catch::Contains("9 is another one"));
    CHECK_FALSE(looking.hand.take<SendBulk>());
}

// A latest row of another history would be the new anchor, and nothing show any more that it is another one.
TEST_CASE("rows of an open batch that are read without the anchor's row beside them are not taken") {
    auto left = left_behind(journal::BatchState::intent, 9);
    left.pipeline.shape = 1;
    left.pipeline.anchors = {{8, ByHand::digest_of(8)}};
    Looking looking(std::move(left));
    looking.answered(looking.hand.intact(looking.asked));
    const auto read = looking.hand.need<ReadPage>().request;
    CHECK(read.latest);
    CHECK(read.beside == 8);
    const auto page = page_of({index_row(12, "a")}, looking.hand.now);
    page->seen = read.revisions;
    page->shape = 1;
    page->digest_beside = 1;
    looking.hand.happens(PageRead{read.id, page});
    CHECK_THAT(looking.hand.need<Finish>().error->message, Catch::Contains("8 is another one"));
    CHECK_FALSE(looking.hand.take<SendBulk>());
}

TEST_CASE("after a lost connection nothing is read before the history was looked at") {
    Looking looking(with_anchor(9));
    looking.answered(looking.hand.intact(looking.asked));
    looking.hand.writes();
    const auto read = looking.hand.need<ReadPage>().request;
    looking.hand.happens(ReadFailed{read.id, {ErrorKind::unavailable, "gone away", "wait"}});
    looking.hand.fires(Timer::read_retry);
    CHECK_FALSE(looking.hand.take<ReadPage>());
    const auto again = looking.hand.need<LookUp>().request;
    looking.hand.happens(LookUpFailed{again.id, {ErrorKind::unavailable, "still", "wait"}});
    looking.hand.fires(Timer::read_retry);
    const auto third = looking.hand.need<LookUp>().request;
    looking.hand.happens(LookedUp{third.id, looking.hand.intact(third)});
    CHECK(looking.hand.take<ReadPage>());
}

TEST_CASE("a 409 with a version that is nobody's quarantines the entity; with a known one it is taken") {
    for (const bool known : {true, false}) {
        ByHand hand(settings_for());
        hand.begins();
        hand.writes();
        hand.reads(page_of({index_row(1, "a"), index_row(2, "b")}));
        hand.writes();
        const auto send = hand.need<SendBulk>();
        hand.look_up_at_once = false;
        const ItemResult beaten{ItemStatus::superseded, "conflict", "current version [99]", 99};
        hand.happens(BulkAnswered{send.request.id, {{}, beaten}});
        CHECK(hand.pipeline.ledger().open_batches().size() == 1);  // not before the history was asked
        const auto asked = hand.need<LookUp>().request;
        REQUIRE(asked.versions.size() == 1);
        CHECK(asked.versions.front().entity == "b");
        CHECK(asked.versions.front().revision == 99);
        LookUpAnswer answer = hand.intact(asked);
        answer.versions = {known};
        hand.happens(LookedUp{asked.id, answer});
        CHECK(hand.pipeline.ledger().open_batches().empty());
        CHECK(hand.pipeline.ledger().quarantine().contains("b") != known);
        if (!known) CHECK(hand.pipeline.ledger().quarantine().at("b").error == "foreign_version");
    }
}

namespace {

const ItemResult beaten{ItemStatus::superseded, "conflict", "current version [99]", 99};

// A batch of two rows is on its way.
struct Sent {
    Sent() {
        hand.begins();
        hand.writes();
        hand.reads(page_of({index_row(1, "a"), index_row(2, "b")}));
        hand.writes();
        send = hand.need<SendBulk>();
        hand.look_up_at_once = false;
    }
    void looked_up() {
        const auto asked = hand.need<LookUp>().request;
        hand.happens(LookedUp{asked.id, hand.intact(asked)});
    }
    // The index behind the alias is asked for now and then: and so it is found.
    void finds_index(const std::string& uuid, Revision remembered) {
        hand.fires(Timer::checkpoint);
        looked_up();
        hand.need<PrepareTarget>();
        hand.happens(TargetReady{remembering(uuid, remembered)});
    }
    static TargetFacts remembering(const std::string& uuid, Revision revision) {
        TargetFacts facts = facts_of(uuid, false);
        facts.remembered =
            Remembered{.pipeline = "lex", .source = settings_for().source, .revision = revision};
        return facts;
    }
    ByHand hand{settings_for()};
    SendBulk send;
};

}  // namespace

TEST_CASE("a newer row that was sent explains its own version, and none above it") {
    for (const Revision version : {3, 99}) {
        Sent sent;
        sent.hand.fires(Timer::poll);
        sent.hand.reads(page_of({index_row(3, "b")}));
        sent.hand.writes();
        const auto newer = sent.hand.need<SendBulk>();
        const ItemResult conflict{ItemStatus::superseded, "conflict", "", version};
        sent.hand.happens(BulkAnswered{sent.send.request.id, {{}, conflict}});
        const auto asked = sent.hand.take<LookUp>();
        CHECK(asked.has_value() == (version == 99));
        if (!asked) continue;
        LookUpAnswer answer = sent.hand.intact(asked->request);
        answer.versions = {false};
        sent.hand.happens(LookedUp{asked->request.id, answer});
        CHECK(sent.hand.pipeline.ledger().quarantine().contains("b"));  // though it has a newer row
    }
}

TEST_CASE(
    "a doubt about a batch goes with it when the pipeline begins anew from what another pawl has told") {
    Sent sent;
    sent.finds_index("uuid", 9);
    sent.hand.happens(SourceReady{{9}});
    const auto asked = sent.hand.need<LookUp>().request;
    sent.hand.happens(BulkAnswered{sent.send.request.id, {beaten, beaten}});
    sent.hand.happens(LookedUp{asked.id, sent.hand.intact(asked)});
    CHECK(sent.hand.need<ReportRecovery>().steps.front().row->label == "R01");
    CHECK(sent.hand.need<ReportRecovery>().steps.front().row->label == "R13");
    CHECK_FALSE(sent.hand.take<LookUp>());
    CHECK(sent.hand.pipeline.ledger().open_batches().empty());
}
