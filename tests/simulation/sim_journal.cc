#include "tests/simulation/sim_journal.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "journal/transition.h"
#include "tests/simulation/sim_clock.h"

namespace pawl::simulation {
namespace {

constexpr std::size_t committed_kept_max =
    8;  // more than may be open: none goes in the commit that commits it

bool lists(const std::vector<std::string>& entities, const std::string& entity) {
    return entities.empty() || std::find(entities.begin(), entities.end(), entity) != entities.end();
}

}  // namespace

Result<void> SimJournal::commit(std::span<const journal::Change> changes) {
    const Disk disk = before_commit(changes);
    if (beneath && disk != Disk::refuses)
        if (auto written = beneath(changes); !written) return written;
    if (disk != Disk::refuses) {
        for (const journal::Change& change : changes)
            std::visit([this](const auto& one) { put(one); }, change);
        after_commit();
    }
    if (disk != Disk::takes) return fail(ErrorKind::storage, "the simulated disk is full", "make room");
    return {};
}

std::size_t SimJournal::open_batches() const {
    if (!durable_) return 0;
    return static_cast<std::size_t>(std::count_if(
        durable_->batches.begin(), durable_->batches.end(),
        [](const journal::Batch& batch) { return batch.state != journal::BatchState::committed; }));
}

const journal::QuarantineEntry* SimJournal::quarantined(std::string_view entity) const {
    if (!durable_) return nullptr;
    for (const journal::QuarantineEntry& entry : durable_->quarantine)
        if (entry.entity == entity) return &entry;
    return nullptr;
}

journal::Batch& SimJournal::batch(journal::BatchId id) {
    PAWL_ASSERT(durable_);
    for (journal::Batch& batch : durable_->batches)
        if (batch.id == id) return batch;
    throw Violation{fmt::format("a change names batch {}, which the journal does not know", id)};
}

void SimJournal::put(const journal::BeginPipeline& change) {
    journal::PipelineSnapshot after;
    after.pipeline = journal::begin(durable_ ? &durable_->pipeline : nullptr, change);
    after.gaps = change.gaps;
    if (durable_) after.quarantine = std::move(durable_->quarantine);
    durable_ = std::move(after);
    ++begins_;
}

void SimJournal::put(const journal::OpenBatch& change) {
    PAWL_ASSERT(durable_);
    journal::open(durable_->pipeline, change);
    durable_->gaps = change.gaps;
    durable_->batches.push_back(change.batch);
}

void SimJournal::put(const journal::ApplyBatch& change) {
    journal::apply(batch(change.batch), change);
    if (change.anchor) journal::keep_anchor(durable_->pipeline, *change.anchor);
    auto& kept = durable_->quarantine;
    for (const journal::QuarantineEntry& entry : change.quarantined) {
        if (std::find(change.released.begin(), change.released.end(), entry.entity) != change.released.end())
            throw Violation{fmt::format("{} enters and leaves quarantine in one change", entry.entity)};
        std::erase_if(kept, [&](const auto& before) { return before.entity == entry.entity; });
        kept.push_back(entry);
    }
    std::erase_if(kept, [&](const auto& entry) {
        return !change.released.empty() && lists(change.released, entry.entity);
    });
}

void SimJournal::put(const journal::CommitBatches& change) {
    PAWL_ASSERT(durable_);
    PAWL_ASSERT(std::is_sorted(change.batches.begin(), change.batches.end()));
    for (const journal::BatchId id : change.batches)
        journal::commit(batch(id), change.at);
    journal::move_watermark(durable_->pipeline, change.watermark);
    journal::move_fill(durable_->pipeline, change.fill);
    auto& batches = durable_->batches;
    const auto committed = [](const journal::Batch& one) {
        return one.state == journal::BatchState::committed;
    };
    while (static_cast<std::size_t>(std::count_if(batches.begin(), batches.end(), committed)) >
           committed_kept_max)
        batches.erase(std::find_if(batches.begin(), batches.end(), committed));
}

void SimJournal::put(const journal::CloseGaps& change) {
    PAWL_ASSERT(durable_);
    journal::close_gaps(durable_->pipeline, change);
    durable_->gaps = change.gaps;
}

void SimJournal::put(const journal::RecordCheckpoint& change) {
    PAWL_ASSERT(durable_);
    journal::record_checkpoint(durable_->pipeline, change);
}

void SimJournal::put(const journal::SetShape& change) {
    PAWL_ASSERT(durable_);
    journal::set_shape(durable_->pipeline, change);
}

void SimJournal::put(const journal::NoteIncident& change) {
    PAWL_ASSERT(durable_);
    journal::note_incident(durable_->pipeline, change);
}

void SimJournal::put(const journal::SetCondition& change) {
    if (!durable_) durable_.emplace().pipeline = journal::unknown_pipeline(change.pipeline);
    journal::set_condition(durable_->pipeline, change);
}

void SimJournal::put(const journal::RetryQuarantine& change) {
    PAWL_ASSERT(durable_);
    ++retries_;
    for (journal::QuarantineEntry& entry : durable_->quarantine)
        if (lists(change.entities, entry.entity)) entry.retry_requested = true;
}

void SimJournal::put(const journal::DropQuarantine& change) {
    PAWL_ASSERT(durable_);
    std::erase_if(durable_->quarantine,
                  [&](const auto& entry) { return lists(change.entities, entry.entity); });
}

}  // namespace pawl::simulation
