// Random changes, written by Writer and done in memory by the same transitions: the journal is the model, at
// every moment, through every reader.
#include "journal/writer.h"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "journal/transition.h"
#include "tests/property/journal/generators.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

struct Model {
    std::map<std::string, PipelineSnapshot> pipelines;

    void operator()(const BeginPipeline& change) {
        const auto known = pipelines.find(change.pipeline);
        const Pipeline after = begin(known == pipelines.end() ? nullptr : &known->second.pipeline, change);
        PipelineSnapshot& snapshot = pipelines[change.pipeline];
        snapshot.pipeline = after;
        snapshot.gaps = {};
        std::erase_if(snapshot.batches,
                      [](const Batch& batch) { return batch.state != BatchState::committed; });
    }
    void operator()(const OpenBatch& change) {
        PipelineSnapshot& snapshot = pipelines.at(change.batch.pipeline);
        open(snapshot.pipeline, change);
        snapshot.gaps = change.gaps;
        snapshot.batches.push_back(change.batch);
    }
    void operator()(const ApplyBatch& change) {
        PipelineSnapshot& snapshot = pipelines.at(change.pipeline);
        apply(batch(snapshot, change.batch), change);
        erase(snapshot, change.released);
        for (const QuarantineEntry& entry : change.quarantined) {
            erase(snapshot, {entry.entity});
            snapshot.quarantine.push_back(as_kept(entry));
        }
        std::ranges::sort(snapshot.quarantine, {}, &QuarantineEntry::entity);
    }
    void operator()(const CommitBatches& change) {
        PipelineSnapshot& snapshot = pipelines.at(change.pipeline);
        for (const BatchId id : change.batches)
            commit(batch(snapshot, id), change.at);
        move_watermark(snapshot.pipeline, change.watermark);
    }
    void operator()(const CloseGaps& change) {
        close_gaps(pipelines.at(change.pipeline).pipeline, change);
        pipelines.at(change.pipeline).gaps = change.gaps;
    }
    void operator()(const SetCondition& change) {
        set_condition(pipelines.at(change.pipeline).pipeline, change);
    }
    void operator()(const RetryQuarantine& change) {
        for (QuarantineEntry& entry : pipelines.at(change.pipeline).quarantine)
            if (change.entities.empty() ||
                std::ranges::find(change.entities, entry.entity) != change.entities.end())
                entry.retry_requested = true;
    }
    void operator()(const DropQuarantine& change) {
        PipelineSnapshot& snapshot = pipelines.at(change.pipeline);
        if (change.entities.empty()) snapshot.quarantine.clear();
        erase(snapshot, change.entities);
    }

    static Batch& batch(PipelineSnapshot& snapshot, BatchId id) {
        return *std::ranges::find(snapshot.batches, id, &Batch::id);
    }
    static void erase(PipelineSnapshot& snapshot, const std::vector<std::string>& entities) {
        std::erase_if(snapshot.quarantine, [&](const QuarantineEntry& entry) {
            return std::ranges::find(entities, entry.entity) != entities.end();
        });
    }
    std::vector<PipelineSnapshot> all() const {
        std::vector<PipelineSnapshot> snapshots;
        for (const auto& [name, snapshot] : pipelines)
            snapshots.push_back(snapshot);
        return snapshots;
    }
};

std::string some_entity() {
    return "entity-" + std::to_string(*rc::gen::inRange(0, 12));
}

OpenBatch some_open(const PipelineSnapshot& snapshot) {
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
    return change;
}

ApplyBatch some_apply(const Batch& batch) {
    ApplyBatch change;
    change.pipeline = batch.pipeline;
    change.batch = batch.id;
    change.at = 9;
    if (*rc::gen::arbitrary<bool>()) change.quarantined = {entry_of(batch.pipeline, some_entity(), batch.id)};
    if (*rc::gen::arbitrary<bool>()) change.released = {some_entity()};
    change.outcome.quarantined = static_cast<std::uint32_t>(change.quarantined.size());
    change.outcome.done = batch.content.indexed - change.outcome.quarantined;
    return change;
}

Revision some_watermark(const PipelineSnapshot& snapshot, const IntervalSet& gaps) {
    const Revision most = gaps.empty() ? snapshot.pipeline.high : gaps.lowest() - 1;
    return *rc::gen::inRange<Revision>(snapshot.pipeline.watermark, most + 1);
}

// A change that the model allows now.
Change some_change(const Model& model) {
    const std::string name = *rc::gen::element<std::string>("lex", "saldo", "lexin");
    const auto known = model.pipelines.find(name);
    if (known == model.pipelines.end()) return begin_of(name, *rc::gen::inRange<Revision>(0, 50));
    const PipelineSnapshot& snapshot = known->second;
    std::vector<const Batch*> of_state[4];
    for (const Batch& batch : snapshot.batches)
        of_state[static_cast<int>(batch.state)].push_back(&batch);
    const auto& intent = of_state[static_cast<int>(BatchState::intent)];
    const auto& applied = of_state[static_cast<int>(BatchState::applied)];
    const auto choice = *rc::gen::inRange(0, 20);
    if (choice < 6) return some_open(snapshot);
    if (choice < 11 && !intent.empty())
        return some_apply(*intent[*rc::gen::inRange<std::size_t>(0, intent.size())]);
    if (choice < 15) {
        CommitBatches change{name, {}, some_watermark(snapshot, snapshot.gaps), 11};
        for (const Batch* batch : applied)
            if (*rc::gen::arbitrary<bool>()) change.batches.push_back(batch->id);
        return change;
    }
    if (choice == 15) {
        CloseGaps change{name, snapshot.gaps, 0, *rc::gen::arbitrary<std::uint64_t>()};
        change.gaps.erase(IntervalSet({{1, *rc::gen::inRange<Revision>(1, 500)}}));
        change.watermark = some_watermark(snapshot, change.gaps);
        return change;
    }
    if (choice == 16) return SetCondition{name, Condition::retrying, *text_up_to(30), 5};
    if (choice == 17) return RetryQuarantine{name, {some_entity(), some_entity()}};
    if (choice == 18) return DropQuarantine{name, {some_entity()}};
    return begin_of(name, *rc::gen::inRange<Revision>(0, 50));
}

}  // namespace

TEST_CASE("the journal holds what the transitions make of the changes") {
    REQUIRE(rc::check("random changes, reopened and read from outside", [] {
        const TemporaryFolder folder;
        Model model;
        Result<Writer> writer = Writer::open(folder.journal());
        RC_ASSERT(writer.has_value());
        const auto commits = *rc::gen::inRange(1, 40);
        for (int i = 0; i < commits; ++i) {
            std::vector<Change> changes;
            for (int left = *rc::gen::inRange(1, 5); left > 0; --left) {
                changes.push_back(some_change(model));
                std::visit(model, changes.back());
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
