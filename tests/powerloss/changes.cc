#include "tests/powerloss/changes.h"

#include <array>
#include <string>

#include <fmt/core.h>

#include "journal/limits.h"
#include "tests/unit/journal/support.h"

namespace pawl::powerloss {
namespace {

using namespace journal;
using journal::test::apply_of;
using journal::test::begin_of;
using journal::test::entry_of;
using journal::test::JournalModel;
using journal::test::open_of;

constexpr std::array<const char*, 3> names{"lex", "saldo", "lexin"};
constexpr std::size_t open_batches_max = 8;
constexpr std::uint32_t large_entries = 100;

std::string some_entity(Chance& chance) {
    return fmt::format("entity-{}", chance.below(40));
}

OpenBatch some_open(const PipelineSnapshot& snapshot, Chance& chance) {
    const Revision high = snapshot.pipeline.high;
    const Revision first = high + 1 + chance.below(4);
    OpenBatch change =
        open_of(snapshot.pipeline.name, snapshot.pipeline.last_batch + 1, first, first + chance.below(9));
    change.gaps = snapshot.gaps;
    if (first > high + 1) change.gaps.insert(Interval{high + 1, first - 1});
    // Now and then a record that needs pages of its own.
    if (chance.one_in(60))
        for (Revision i = 0; i < 3'000; ++i)
            change.batch.revisions.insert(first + 3 * i);
    change.batch.content.rows = static_cast<std::uint32_t>(change.batch.revisions.count());
    change.batch.content.indexed = change.batch.content.rows;
    change.high = change.batch.revisions.highest();
    return change;
}

ApplyBatch some_apply(const Batch& batch, Chance& chance) {
    ApplyBatch change;
    change.pipeline = batch.pipeline;
    change.batch = batch.id;
    change.at = 9;
    if (chance.one_in(3))
        change.quarantined = {entry_of(batch.pipeline, some_entity(chance), batch.revisions.lowest())};
    if (chance.one_in(3)) change.released = {some_entity(chance)};
    change.outcome.quarantined = static_cast<std::uint32_t>(change.quarantined.size());
    change.outcome.done = batch.content.indexed - change.outcome.quarantined;
    return change;
}

Revision some_watermark(const PipelineSnapshot& snapshot, const IntervalSet& gaps, Chance& chance) {
    const Revision most = gaps.empty() ? snapshot.pipeline.high : gaps.lowest() - 1;
    return snapshot.pipeline.watermark + chance.below(most - snapshot.pipeline.watermark + 1);
}

CloseGaps some_close(const PipelineSnapshot& snapshot, Chance& chance) {
    CloseGaps change{snapshot.pipeline.name, snapshot.gaps, 0};
    if (!change.gaps.empty()) change.gaps.erase(IntervalSet({{1, change.gaps.lowest() + chance.below(60)}}));
    change.watermark = some_watermark(snapshot, change.gaps, chance);
    return change;
}

std::vector<const Batch*> of_state(const PipelineSnapshot& snapshot, BatchState state) {
    std::vector<const Batch*> found;
    for (const Batch& batch : snapshot.batches)
        if (batch.state == state) found.push_back(&batch);
    return found;
}

Change some_change(const JournalModel& model, Chance& chance) {
    const std::string name = names.at(chance.below(names.size()));
    const auto known = model.pipelines().find(name);
    if (known == model.pipelines().end()) return begin_of(name, chance.below(50));
    const PipelineSnapshot& snapshot = known->second;
    const auto intent = of_state(snapshot, BatchState::intent);
    const auto applied = of_state(snapshot, BatchState::applied);
    const auto choice = chance.below(100);
    if (choice < 38 && intent.size() + applied.size() < open_batches_max) return some_open(snapshot, chance);
    if (choice < 66 && !intent.empty()) return some_apply(*intent.at(chance.below(intent.size())), chance);
    if (choice < 90) {
        CommitBatches change{name, {}, some_watermark(snapshot, snapshot.gaps, chance), 11};
        for (const Batch* batch : applied)
            if (!chance.one_in(4)) change.batches.push_back(batch->id);
        return change;
    }
    if (choice < 92) return some_close(snapshot, chance);
    if (choice < 93) return RecordCheckpoint{name, {snapshot.pipeline.watermark, 12}};
    if (choice < 94) return NoteIncident{name, "R10", "the alias leads to another index", 13};
    if (choice < 96) return RetryQuarantine{name, {some_entity(chance), some_entity(chance)}};
    if (choice < 99) return DropQuarantine{name, {some_entity(chance)}};
    return begin_of(name, snapshot.pipeline.high);
}

void number_state(std::vector<Change>& changes, JournalModel& model, std::uint64_t number) {
    SetCondition last;
    last.pipeline = model.pipelines().begin()->first;
    last.condition = Condition::retrying;
    last.detail = fmt::format("transaction {}", number);
    last.at = 5;
    changes.emplace_back(last);
    model.put(changes.back());
}

}  // namespace

std::vector<Change> some_transaction(JournalModel& model, std::uint64_t number, Chance& chance) {
    std::vector<Change> changes;
    for (auto left = 1 + chance.below(4); left > 0; --left) {
        changes.push_back(some_change(model, chance));
        model.put(changes.back());
    }
    number_state(changes, model, number);
    return changes;
}

std::vector<Change> large_transaction(JournalModel& model, std::uint64_t number) {
    const std::string name = "large";
    std::vector<Change> changes;
    if (!model.pipelines().contains(name)) {
        changes.emplace_back(begin_of(name));
        model.put(changes.back());
    }
    const PipelineSnapshot& snapshot = model.pipelines().at(name);
    const Revision first = snapshot.pipeline.high + 1;
    const OpenBatch open = open_of(name, snapshot.pipeline.last_batch + 1, first, first + large_entries - 1);
    ApplyBatch apply = apply_of(open);
    apply.outcome = {0, 0, large_entries};
    for (Revision revision = first; revision <= open.high; ++revision) {
        QuarantineEntry entry = entry_of(name, fmt::format("{:0>1000}", revision), revision);
        entry.error.resize(limits::reason_bytes_max, 'e');
        entry.reason.resize(limits::reason_bytes_max, 'r');
        apply.quarantined.push_back(std::move(entry));
    }
    changes.emplace_back(open);
    changes.emplace_back(apply);
    model.put(changes[changes.size() - 2]);
    model.put(changes.back());
    number_state(changes, model, number);
    return changes;
}

}  // namespace pawl::powerloss
