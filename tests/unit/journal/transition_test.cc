#include "journal/transition.h"

#include <catch2/catch.hpp>

#include "journal/limits.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using test::aborts;

namespace {

struct Opened {
    Pipeline pipeline = begin(nullptr, test::begin_of("lex", 10));
    OpenBatch change = test::open_of("lex", 1, 11, 15);
    Batch batch = change.batch;
    Opened() { open(pipeline, change); }
};

}  // namespace

TEST_CASE("a new pipeline starts at its high with nothing else") {
    const Pipeline pipeline = begin(nullptr, test::begin_of("lex", 10));
    CHECK(pipeline.high == 10);
    CHECK(pipeline.watermark == 10);
    CHECK(pipeline.last_batch == 0);
    CHECK(pipeline.condition == Condition::running);
    CHECK_FALSE(pipeline.checkpoint);
}

TEST_CASE("a pipeline that begins with gaps starts just below the first of them") {
    BeginPipeline change = test::begin_of("lex", 10);
    change.gaps = IntervalSet({{3, 5}, {9, 9}});
    const Pipeline pipeline = begin(nullptr, change);
    CHECK(pipeline.high == 10);
    CHECK(pipeline.watermark == 2);
}

TEST_CASE("a pipeline begins with what is already known of its index and its history") {
    BeginPipeline change = test::begin_of("lex", 10);
    change.checkpoint = Checkpoint{8, 5};
    change.anchor = Anchor{9, 90};
    change.shape = 7;
    const Pipeline pipeline = begin(nullptr, change);
    CHECK(pipeline.checkpoint == Checkpoint{8, 5});
    CHECK(pipeline.anchors == std::vector<Anchor>{{9, 90}});
    CHECK(pipeline.shape == 7);
}

TEST_CASE("beginning again keeps only the last batch's number and the incidents") {
    Opened opened;
    keep_anchor(opened.pipeline, {15, 150});
    record_checkpoint(opened.pipeline, {"lex", {10, 5}});
    note_incident(opened.pipeline, {"lex", "R12", "another index", 9});
    const Pipeline again = begin(&opened.pipeline, test::begin_of("lex", 3));
    CHECK(again.last_batch == 1);
    CHECK(again.incidents == std::vector<Incident>{{1, 9, "R12", "another index"}});
    CHECK(again.anchors.empty());
    CHECK_FALSE(again.checkpoint);
    CHECK(again.high == 3);
    CHECK(again.watermark == 3);
}

TEST_CASE("a batch goes from intent over applied to committed") {
    Opened opened;
    CHECK(opened.pipeline.high == 15);
    CHECK(opened.pipeline.last_batch == 1);
    apply(opened.batch, test::apply_of(opened.change));
    CHECK(opened.batch.state == BatchState::applied);
    CHECK(opened.batch.outcome.done == 5);
    commit(opened.batch, 77);
    CHECK(opened.batch.state == BatchState::committed);
    CHECK(opened.batch.committed_at == 77);
    move_watermark(opened.pipeline, 15);
    CHECK(opened.pipeline.watermark == 15);
}

TEST_CASE("a batch cannot skip a state or go back") {
    Opened opened;
    CHECK(aborts([&] { commit(opened.batch, 1); }));
    apply(opened.batch, test::apply_of(opened.change));
    CHECK(aborts([&] { apply(opened.batch, test::apply_of(opened.change)); }));
    commit(opened.batch, 1);
    CHECK(aborts([&] { commit(opened.batch, 1); }));
    CHECK(aborts([&] { apply(opened.batch, test::apply_of(opened.change)); }));
}

TEST_CASE("a batch that is not the next one in intent cannot be opened") {
    Opened opened;
    const auto refused = [&](OpenBatch change) { return aborts([&] { open(opened.pipeline, change); }); };
    CHECK_FALSE(refused(test::open_of("lex", 2, 16, 20)));
    CHECK(refused(test::open_of("lex", 1, 16, 20)));
    CHECK(refused(test::open_of("lex", 3, 16, 20)));
    CHECK(refused(test::open_of("saldo", 2, 16, 20)));
    CHECK(refused(test::open_of("lex", 2, 11, 14)));  // high goes back

    OpenBatch applied = test::open_of("lex", 2, 16, 20);
    applied.batch.state = BatchState::applied;
    CHECK(refused(applied));
    OpenBatch empty = test::open_of("lex", 2, 16, 20);
    empty.batch.revisions = {};
    CHECK(refused(empty));
    OpenBatch beyond_high = test::open_of("lex", 2, 16, 20);
    beyond_high.high = 19;
    CHECK(refused(beyond_high));
    OpenBatch gap_below_watermark = test::open_of("lex", 2, 16, 20);
    gap_below_watermark.gaps.insert(10);
    CHECK(refused(gap_below_watermark));
    OpenBatch more_actions_than_rows = test::open_of("lex", 2, 16, 20);
    more_actions_than_rows.batch.content.removed = 1;
    CHECK(refused(more_actions_than_rows));
}

TEST_CASE("an outcome of more than was read, or of another batch, cannot be applied") {
    Opened opened;
    ApplyBatch more = test::apply_of(opened.change);
    more.outcome.superseded = 1;
    CHECK(aborts([&] { apply(opened.batch, more); }));
    ApplyBatch other = test::apply_of(opened.change);
    other.batch = 2;
    CHECK(aborts([&] { apply(opened.batch, other); }));
    ApplyBatch unaccounted_entry = test::apply_of(opened.change);
    unaccounted_entry.quarantined = {test::entry_of("lex", "a", 11)};
    CHECK(aborts([&] { apply(opened.batch, unaccounted_entry); }));
}

TEST_CASE("the watermark never goes back and never passes high or a gap") {
    Opened opened;
    CHECK(aborts([&] { move_watermark(opened.pipeline, 9); }));
    CHECK(aborts([&] { move_watermark(opened.pipeline, 16); }));
    CHECK(aborts([&] { close_gaps(opened.pipeline, {"lex", IntervalSet({{12, 12}}), 12, 0}); }));
    CHECK(aborts([&] { close_gaps(opened.pipeline, {"lex", IntervalSet({{16, 16}}), 12, 0}); }));
    close_gaps(opened.pipeline, {"lex", IntervalSet({{13, 13}}), 12, 0});
    CHECK(opened.pipeline.watermark == 12);
    CHECK(opened.pipeline.gaps_unproven == 0);
}

TEST_CASE("revisions that left the gaps without proof are counted, up to the largest number") {
    Opened opened;
    close_gaps(opened.pipeline, {"lex", IntervalSet({{13, 13}}), 10, 2});
    CHECK(opened.pipeline.gaps_unproven == 2);
    close_gaps(opened.pipeline, {"lex", {}, 10, UINT64_MAX});
    CHECK(opened.pipeline.gaps_unproven == UINT64_MAX);
}

TEST_CASE("a batch brings the anchor of its newest row") {
    Opened opened;
    OpenBatch next = test::open_of("lex", 2, 16, 20);
    next.anchor = Anchor{20, 200};
    open(opened.pipeline, next);
    CHECK(opened.pipeline.anchors == std::vector<Anchor>{{20, 200}});
}

TEST_CASE("a newer anchor takes the newest one's place, but for each checkpoint one stays") {
    Pipeline pipeline = begin(nullptr, test::begin_of("lex", 100));
    keep_anchor(pipeline, {10, 1});
    keep_anchor(pipeline, {20, 2});
    CHECK(pipeline.anchors == std::vector<Anchor>{{20, 2}});
    record_checkpoint(pipeline, {"lex", {20, 5}});
    keep_anchor(pipeline, {30, 3});
    keep_anchor(pipeline, {40, 4});
    CHECK(pipeline.anchors == std::vector<Anchor>{{20, 2}, {40, 4}});
    CHECK(aborts([&] { keep_anchor(pipeline, {40, 5}); }));
}

TEST_CASE("the oldest anchor gives way when there are too many") {
    Pipeline pipeline = begin(nullptr, test::begin_of("lex", 100));
    const auto keep_and_tell = [&](Revision revision) {
        keep_anchor(pipeline, {revision, revision});
        record_checkpoint(pipeline, {"lex", {revision, 5}});
    };
    for (Revision revision = 1; revision <= limits::anchors_max; ++revision)
        keep_and_tell(revision);
    CHECK(pipeline.anchors.front().revision == 1);
    keep_and_tell(limits::anchors_max + 1);
    CHECK(pipeline.anchors.size() == limits::anchors_max);
    CHECK(pipeline.anchors.front().revision == 2);
    CHECK(pipeline.anchors.back().revision == limits::anchors_max + 1);
}

TEST_CASE("the oldest incident gives way when there are too many, and the numbers go on") {
    Pipeline pipeline = begin(nullptr, test::begin_of("lex"));
    for (std::size_t i = 1; i <= limits::incidents_kept_max; ++i)
        note_incident(pipeline, {"lex", "R10", "another index", 9});
    CHECK(pipeline.incidents.front().number == 1);
    note_incident(pipeline, {"lex", "R12", "the newest", 10});
    CHECK(pipeline.incidents.size() == limits::incidents_kept_max);
    CHECK(pipeline.incidents.front().number == 2);
    CHECK(pipeline.incidents.back() == Incident{limits::incidents_kept_max + 1, 10, "R12", "the newest"});
}

TEST_CASE("long details and entities are cut, texts at a whole character") {
    Opened opened;
    const std::string umlauts = [] {
        std::string text = "x";
        while (text.size() < 2'000)
            text += "ä";
        return text;
    }();
    set_condition(opened.pipeline, {"lex", Condition::refused, umlauts, 9});
    CHECK(opened.pipeline.condition_detail.size() == limits::reason_bytes_max - 1);
    note_incident(opened.pipeline, {"lex", umlauts, umlauts, 9});
    CHECK(opened.pipeline.incidents.back().label.size() == limits::incident_label_bytes_max - 1);
    CHECK(opened.pipeline.incidents.back().text.size() == limits::incident_text_bytes_max - 1);
    QuarantineEntry entry = test::entry_of("lex", std::string(3'000, 'e'), 1);
    entry.reason = umlauts;
    const QuarantineEntry kept = as_kept(entry);
    CHECK(kept.entity == std::string(limits::entity_bytes_max, 'e'));
    CHECK(kept.reason == umlauts.substr(0, limits::reason_bytes_max - 1));
}

TEST_CASE("what is no UTF-8 is cut at the limit, as nothing better is known") {
    Opened opened;
    const std::string rubbish(2'000, '\x80');
    set_condition(opened.pipeline, {"lex", Condition::refused, rubbish, 9});
    CHECK(opened.pipeline.condition_detail == rubbish.substr(0, limits::reason_bytes_max));
}

TEST_CASE("a pipeline without a name that can be in a key cannot begin") {
    CHECK_FALSE(aborts([&] { begin(nullptr, test::begin_of(std::string(64, 'x'))); }));
    CHECK(aborts([&] { begin(nullptr, test::begin_of("")); }));
    CHECK(aborts([&] { begin(nullptr, test::begin_of(std::string(65, 'x'))); }));
    CHECK(aborts([&] { begin(nullptr, test::begin_of(std::string("a\0b", 3))); }));
    CHECK(aborts([&] { as_kept(test::entry_of("", "a", 1)); }));
}
