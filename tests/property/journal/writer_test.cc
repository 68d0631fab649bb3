// Random changes, written by Writer and done in memory by the same transitions: the journal is the model, at
// every moment, through every reader.
#include "journal/writer.h"

#include <algorithm>
#include <optional>

#include <catch2/catch.hpp>

#include "tests/property/journal/generators.h"
#include "tests/support/journal_model.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

std::string some_entity() {
    return "entity-" + std::to_string(*rc::gen::inRange(0, 12));
}

// A newer one than the pipeline has, or none.
std::optional<Anchor> some_anchor(const PipelineSnapshot& snapshot) {
    const auto& known = snapshot.pipeline.anchors;
    const Revision newest = known.empty() ? 0 : known.back().revision;
    if (*rc::gen::arbitrary<bool>()) return std::nullopt;
    return Anchor{newest + *rc::gen::inRange<Revision>(1, 20), *rc::gen::arbitrary<std::uint64_t>()};
}

// Rows of the fill: without revisions, and high stays.
OpenBatch some_open_of_fill(const PipelineSnapshot& snapshot) {
    const Pipeline& pipeline = snapshot.pipeline;
    OpenBatch change = open_of(pipeline.name, pipeline.last_batch + 1, 1, *rc::gen::inRange<Revision>(1, 9));
    change.batch.revisions = {};
    change.gaps = snapshot.gaps;
    change.high = pipeline.high;
    return change;
}

OpenBatch some_open(const PipelineSnapshot& snapshot) {
    if (snapshot.pipeline.fill && *rc::gen::arbitrary<bool>()) return some_open_of_fill(snapshot);
    const Revision high = snapshot.pipeline.high;
    const auto first = high + *rc::gen::inRange<Revision>(1, 5);
    OpenBatch change = open_of(snapshot.pipeline.name, snapshot.pipeline.last_batch + 1, first,
                               first + *rc::gen::inRange<Revision>(0, 9));
    change.gaps = snapshot.gaps;
    if (first > high + 1) change.gaps.insert(Interval{high + 1, first - 1});
    // Now and then a record that needs pages of its own.
    if (*rc::gen::inRange(0, 8) == 0)
        for (Revision i = 0; i < 5'000; ++i)
            change.batch.revisions.insert(first + 3 * i);
    change.batch.content.rows = static_cast<std::uint32_t>(change.batch.revisions.count());
    change.batch.content.indexed = change.batch.content.rows;
    change.high = change.batch.revisions.highest();
    change.anchor = some_anchor(snapshot);
    return change;
}

ApplyBatch some_apply(const PipelineSnapshot& snapshot, const Batch& batch) {
    ApplyBatch change;
    change.pipeline = batch.pipeline;
    change.batch = batch.id;
    change.at = 9;
    if (*rc::gen::arbitrary<bool>()) change.quarantined = {entry_of(batch.pipeline, some_entity(), batch.id)};
    if (*rc::gen::arbitrary<bool>()) change.released = {some_entity()};
    change.outcome.quarantined = static_cast<std::uint32_t>(change.quarantined.size());
    change.outcome.done = batch.content.indexed - change.outcome.quarantined;
    change.anchor = some_anchor(snapshot);
    return change;
}

Revision some_watermark(const PipelineSnapshot& snapshot, const IntervalSet& gaps) {
    const Revision most = gaps.empty() ? snapshot.pipeline.high : gaps.lowest() - 1;
    return *rc::gen::inRange<Revision>(snapshot.pipeline.watermark, most + 1);
}

CommitBatches some_commit(const PipelineSnapshot& snapshot) {
    CommitBatches change{snapshot.pipeline.name, {}, some_watermark(snapshot, snapshot.gaps), 11};
    bool rows_of_fill_left = false;
    for (const Batch& batch : snapshot.batches) {
        if (batch.state == BatchState::applied && *rc::gen::arbitrary<bool>())
            change.batches.push_back(batch.id);
        else if (batch.state != BatchState::committed && batch.revisions.empty())
            rows_of_fill_left = true;
    }
    change.fill = snapshot.pipeline.fill;
    if (!change.fill) return change;
    if (!rows_of_fill_left && *rc::gen::arbitrary<bool>())
        change.fill.reset();  // it has come to its end
    else
        change.fill = Fill{*text_up_to(300), change.fill->rows + change.batches.size()};
    return change;
}

BeginPipeline some_begin(const std::string& name) {
    BeginPipeline begin = begin_of(name, *rc::gen::inRange<Revision>(0, 50));
    if (*rc::gen::arbitrary<bool>()) begin.anchor = Anchor{*rc::gen::inRange<Revision>(1, 60), 14};
    if (*rc::gen::arbitrary<bool>()) begin.fill = Fill{};
    if (begin.high > 9) begin.gaps = IntervalSet({{3, 5}, {9, 9}});
    return begin;
}

// A change that the model allows now.
Change some_change(const JournalModel& model) {
    const std::string name = *rc::gen::element<std::string>("lex", "saldo", "lexin");
    const auto known = model.pipelines().find(name);
    if (known == model.pipelines().end() && *rc::gen::inRange(0, 4) == 0)
        return SetCondition{name, Condition::standby, "another pawl feeds it", 4};
    if (known == model.pipelines().end()) return some_begin(name);
    const PipelineSnapshot& snapshot = known->second;
    std::vector<const Batch*> intent;
    for (const Batch& batch : snapshot.batches)
        if (batch.state == BatchState::intent) intent.push_back(&batch);
    // Of full size always: a smaller one leaves the last choices out, and they would hardly ever come.
    const auto choice = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 23));
    if (choice < 6) return some_open(snapshot);
    if (choice < 11 && !intent.empty())
        return some_apply(snapshot, *intent[*rc::gen::inRange<std::size_t>(0, intent.size())]);
    if (choice < 15) return some_commit(snapshot);
    if (choice == 15) {
        CloseGaps change{name, snapshot.gaps, 0, *rc::gen::arbitrary<std::uint64_t>()};
        change.gaps.erase(IntervalSet({{1, *rc::gen::inRange<Revision>(1, 500)}}));
        change.watermark = some_watermark(snapshot, change.gaps);
        return change;
    }
    if (choice == 16) return SetCondition{name, Condition::retrying, *text_up_to(30), 5};
    if (choice == 17) return RetryQuarantine{name, {some_entity(), some_entity()}};
    if (choice == 18) return DropQuarantine{name, {some_entity()}};
    if (choice == 19)
        return RecordCheckpoint{name, {*rc::gen::inRange<Revision>(0, snapshot.pipeline.high + 1), 12}};
    if (choice == 20) return SetShape{name, *rc::gen::arbitrary<std::uint64_t>(), {{1, 2}, {3, 4}}};
    if (choice == 21) return NoteIncident{name, *text_up_to(30), *text_up_to(400), 13};
    return some_begin(name);
}

}  // namespace

TEST_CASE("the journal holds what the transitions make of the changes") {
    REQUIRE(rc::check("random changes, reopened and read from outside", [] {
        const TemporaryFolder folder;
        JournalModel model;
        Result<Writer> writer = Writer::open(folder.journal());
        RC_ASSERT(writer.has_value());
        const auto commits = *rc::gen::inRange(1, 40);
        for (int i = 0; i < commits; ++i) {
            std::vector<Change> changes;
            for (int left = *rc::gen::inRange(1, 5); left > 0; --left) {
                changes.push_back(some_change(model));
                model.put(changes.back());
            }
            RC_ASSERT(writer->commit(changes).has_value());
            RC_ASSERT(equal(writer->read().value(), model.all()));
            if (*rc::gen::inRange(0, 8) != 0) continue;
            writer = fail(ErrorKind::storage, "closed");
            // The page reader first, which looks at every page that LMDB left, then LMDB itself again.
            const auto contents = read_journal(folder.journal());
            RC_ASSERT(contents.has_value());
            RC_ASSERT(contents->damages.empty());
            RC_ASSERT(equal(contents->pipelines, model.all()));
            writer = Writer::open(folder.journal());
            RC_ASSERT(writer.has_value());
        }
        RC_ASSERT(equal(read_journal(folder.journal()).value().pipelines, model.all()));
    }));
}
