#include "tests/support/journal_model.h"

#include <algorithm>

#include <fmt/core.h>

#include "journal/limits.h"
#include "journal/transition.h"

namespace pawl::journal::test {
namespace {

Batch& batch_of(PipelineSnapshot& snapshot, BatchId id) {
    return *std::ranges::find(snapshot.batches, id, &Batch::id);
}

void erase(PipelineSnapshot& snapshot, const std::vector<std::string>& entities) {
    std::erase_if(snapshot.quarantine, [&](const QuarantineEntry& entry) {
        return std::ranges::find(entities, entry.entity) != entities.end();
    });
}

void prune(std::vector<Batch>& batches) {
    const auto committed = [](const Batch& batch) { return batch.state == BatchState::committed; };
    auto count = static_cast<std::size_t>(std::ranges::count_if(batches, committed));
    for (; count > limits::committed_kept_max; --count)
        batches.erase(std::ranges::find_if(batches, committed));
}

// FNV-1a over text; each part ends with a byte that is in none of the numbers.
class Digest {
  public:
    template <class... Parts>
    void add(const Parts&... parts) {
        (add_text(fmt::format("{}", parts)), ...);
    }
    void add(const IntervalSet& set) {
        for (const Interval& interval : set.intervals())
            add(interval.first, interval.last);
        add_text("end");
    }
    std::uint64_t value() const { return value_; }

  private:
    void add_text(std::string_view text) {
        for (const char byte : text)
            add_byte(static_cast<unsigned char>(byte));
        add_byte(0xff);
    }
    void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
    std::uint64_t value_ = 0xcbf29ce484222325;
};

void add(Digest& digest, const Pipeline& pipeline) {
    digest.add(pipeline.name, name_of(pipeline.source.mode), pipeline.source.database, pipeline.source.table);
    digest.add(pipeline.target.alias, pipeline.target.index, pipeline.target.uuid);
    digest.add(pipeline.last_batch, pipeline.high, pipeline.watermark, name_of(pipeline.condition));
    digest.add(pipeline.condition_detail, pipeline.condition_since, pipeline.anchors.size());
    if (pipeline.checkpoint) digest.add(pipeline.checkpoint->revision, pipeline.checkpoint->written_at);
    digest.add(pipeline.gaps_unproven, pipeline.shape, pipeline.fill.has_value());
    if (pipeline.fill) digest.add(pipeline.fill->after, pipeline.fill->rows);
    for (const Anchor& anchor : pipeline.anchors)
        digest.add(anchor.revision, anchor.digest);
    for (const Incident& incident : pipeline.incidents)
        digest.add(incident.number, incident.at, incident.label, incident.text);
}

void add(Digest& digest, const Batch& batch) {
    digest.add(batch.id, batch.pipeline, name_of(batch.state), batch.content.rows, batch.content.indexed);
    digest.add(batch.content.removed, batch.content.invalid, batch.content.digest, batch.outcome.done);
    digest.add(batch.outcome.superseded, batch.outcome.quarantined, batch.index_uuid, batch.intent_at);
    digest.add(batch.applied_at, batch.committed_at);
    digest.add(batch.revisions);
}

void add(Digest& digest, const QuarantineEntry& entry) {
    digest.add(entry.pipeline, entry.entity, entry.revision, entry.error, entry.reason, entry.since);
    digest.add(entry.attempts, entry.retry_requested);
}

}  // namespace

void JournalModel::put(const std::vector<Change>& changes) {
    for (const Change& change : changes)
        put(change);
}

void JournalModel::put(const Change& change) {
    std::visit([this](const auto& one) { put_one(one); }, change);
}

std::vector<PipelineSnapshot> JournalModel::all() const {
    std::vector<PipelineSnapshot> snapshots;
    for (const auto& [name, snapshot] : pipelines_)
        snapshots.push_back(snapshot);
    return snapshots;
}

void JournalModel::put_one(const BeginPipeline& change) {
    const auto known = pipelines_.find(change.pipeline);
    const Pipeline after = begin(known == pipelines_.end() ? nullptr : &known->second.pipeline, change);
    PipelineSnapshot& snapshot = pipelines_[change.pipeline];
    snapshot.pipeline = after;
    snapshot.gaps = change.gaps;
    std::erase_if(snapshot.batches, [](const Batch& batch) { return batch.state != BatchState::committed; });
}

void JournalModel::put_one(const OpenBatch& change) {
    PipelineSnapshot& snapshot = pipelines_.at(change.batch.pipeline);
    open(snapshot.pipeline, change);
    snapshot.gaps = change.gaps;
    snapshot.batches.push_back(change.batch);
}

void JournalModel::put_one(const ApplyBatch& change) {
    PipelineSnapshot& snapshot = pipelines_.at(change.pipeline);
    apply(batch_of(snapshot, change.batch), change);
    if (change.anchor) keep_anchor(snapshot.pipeline, *change.anchor);
    erase(snapshot, change.released);
    for (const QuarantineEntry& entry : change.quarantined) {
        erase(snapshot, {entry.entity});
        snapshot.quarantine.push_back(as_kept(entry));
    }
    std::ranges::sort(snapshot.quarantine, {}, &QuarantineEntry::entity);
}

void JournalModel::put_one(const CommitBatches& change) {
    PipelineSnapshot& snapshot = pipelines_.at(change.pipeline);
    for (const BatchId id : change.batches)
        commit(batch_of(snapshot, id), change.at);
    move_watermark(snapshot.pipeline, change.watermark);
    move_fill(snapshot.pipeline, change.fill);
    prune(snapshot.batches);
}

void JournalModel::put_one(const CloseGaps& change) {
    PipelineSnapshot& snapshot = pipelines_.at(change.pipeline);
    close_gaps(snapshot.pipeline, change);
    snapshot.gaps = change.gaps;
}

void JournalModel::put_one(const SetCondition& change) {
    const auto [known, is_new] = pipelines_.try_emplace(change.pipeline);
    if (is_new) known->second.pipeline = unknown_pipeline(change.pipeline);
    set_condition(known->second.pipeline, change);
}

void JournalModel::put_one(const RetryQuarantine& change) {
    for (QuarantineEntry& entry : pipelines_.at(change.pipeline).quarantine)
        if (change.entities.empty() ||
            std::ranges::find(change.entities, entry.entity) != change.entities.end())
            entry.retry_requested = true;
}

void JournalModel::put_one(const DropQuarantine& change) {
    PipelineSnapshot& snapshot = pipelines_.at(change.pipeline);
    if (change.entities.empty()) snapshot.quarantine.clear();
    erase(snapshot, change.entities);
}

void JournalModel::put_one(const RecordCheckpoint& change) {
    record_checkpoint(pipelines_.at(change.pipeline).pipeline, change);
}

void JournalModel::put_one(const SetShape& change) {
    set_shape(pipelines_.at(change.pipeline).pipeline, change);
}

void JournalModel::put_one(const NoteIncident& change) {
    note_incident(pipelines_.at(change.pipeline).pipeline, change);
}

std::uint64_t digest_of(const std::vector<PipelineSnapshot>& state) {
    Digest digest;
    for (const PipelineSnapshot& snapshot : state) {
        add(digest, snapshot.pipeline);
        digest.add(snapshot.gaps);
        for (const Batch& batch : snapshot.batches)
            add(digest, batch);
        for (const QuarantineEntry& entry : snapshot.quarantine)
            add(digest, entry);
        digest.add("next");
    }
    return digest.value();
}

}  // namespace pawl::journal::test
