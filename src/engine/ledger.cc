#include "engine/ledger.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "engine/limits.h"
#include "journal/transition.h"

namespace pawl::engine {

using journal::Condition;

namespace {

bool is_meant(const std::vector<std::string>& entities, const std::string& entity) {
    return entities.empty() || std::find(entities.begin(), entities.end(), entity) != entities.end();
}

void keep_lowest(IntervalSet& rows, std::uint64_t count) {
    for (const Interval& interval : rows.intervals()) {
        if (count < IntervalSet({interval}).count()) return rows.erase_above(interval.first + count - 1);
        count -= IntervalSet({interval}).count();
    }
}

}  // namespace

Ledger::Ledger(std::string name, std::optional<journal::PipelineSnapshot> journal)
    : known_(journal && !journal->pipeline.target.uuid.empty()), recorded_(journal.has_value()) {
    pipeline_.name = std::move(name);
    if (!journal) return;
    PAWL_ASSERT(journal->pipeline.name == pipeline_.name);
    pipeline_ = std::move(journal->pipeline);
    if (!PAWL_PLANTED(gap_forgotten_at_restart)) gaps_ = std::move(journal->gaps);
    for (journal::Batch& batch : journal->batches) {
        if (batch.state == journal::BatchState::committed) continue;
        open_[batch.id] = {.revisions = std::move(batch.revisions),
                           .applied = batch.state == journal::BatchState::applied};
    }
    for (journal::QuarantineEntry& entry : journal->quarantine)
        quarantine_.emplace(entry.entity, std::move(entry));
}

void Ledger::begin(journal::BeginPipeline change, Changes& changes) {
    change.pipeline = pipeline_.name;
    pipeline_ = journal::begin(recorded_ ? &pipeline_ : nullptr, change);
    recorded_ = true;
    known_ = true;
    gaps_ = change.gaps;
    open_.clear();
    left_quarantine_ = {};
    changes.emplace_back(std::move(change));
}

BatchId Ledger::open(const Seen& seen, const journal::BatchContent& content, std::size_t gaps_max, TimeMs now,
                     Changes& changes) {
    PAWL_ASSERT(known_);
    journal::OpenBatch change;
    change.batch.id = pipeline_.last_batch + 1;
    change.batch.pipeline = pipeline_.name;
    change.batch.revisions = seen.revisions;
    change.batch.content = content;
    change.batch.index_uuid = pipeline_.target.uuid;
    change.batch.intent_at = now;

    change.high = seen.fill ? pipeline_.high : std::max(pipeline_.high, seen.revisions.highest());
    if (!has_outbox()) note_gaps(seen, change.high, gaps_max);
    change.gaps = gaps_;
    change.anchor = newer(seen.anchor);

    journal::open(pipeline_, change);
    open_[change.batch.id] = {.revisions = seen.revisions, .fill = seen.fill};
    const BatchId id = change.batch.id;
    changes.emplace_back(std::move(change));
    return id;
}

void Ledger::note_gaps(const Seen& seen, Revision high, std::size_t gaps_max) {
    const Revision first_new =
        PAWL_PLANTED(gap_before_first_row_missed) ? seen.revisions.lowest() : pipeline_.high + 1;
    if (high > pipeline_.high) gaps_.insert(Interval{first_new, high});
    gaps_.erase(seen.revisions);
    gaps_.erase(seen.dead);
    if (gaps_.intervals().size() > gaps_max) gaps_.merge_down_to(gaps_max);
}

std::optional<journal::Anchor> Ledger::newer(const std::optional<journal::Anchor>& anchor) const {
    const auto& known = pipeline_.anchors;
    if (!anchor || (!known.empty() && known.back().revision >= anchor->revision)) return std::nullopt;
    return anchor;
}

std::uint64_t Ledger::close_gaps(const IntervalSet& dead, const IntervalSet& unproven, Changes& changes) {
    if (dead.empty() || gaps_.empty()) return 0;
    const std::uint64_t before = gaps_.count();
    IntervalSet without_unproven = gaps_;
    without_unproven.erase(unproven);
    gaps_.erase(dead);
    if (gaps_.count() == before) return 0;
    const std::uint64_t given_up = before - without_unproven.count();
    journal::CloseGaps change{pipeline_.name, gaps_, watermark(), given_up};
    journal::close_gaps(pipeline_, change);
    changes.emplace_back(std::move(change));
    return given_up;
}

void Ledger::apply(BatchId batch, BatchResult result, TimeMs now, Changes& changes) {
    const auto found = open_.find(batch);
    PAWL_ASSERT(found != open_.end());
    PAWL_ASSERT(!found->second.applied);
    found->second.applied = true;
    found->second.cleaned = found->second.fill.has_value();
    for (const std::string& entity : result.released)
        leave_quarantine(quarantine_.find(entity));
    std::erase_if(result.quarantined, [&](journal::QuarantineEntry& entry) {
        const auto before = quarantine_.find(entry.entity);
        if (before == quarantine_.end()) return false;
        if (before->second.revision > entry.revision && !PAWL_PLANTED(older_row_overwrites_quarantine))
            return true;  // its newer row is known to be rejected
        entry.since = before->second.since;
        entry.attempts = before->second.attempts + 1;
        return false;
    });
    for (const journal::QuarantineEntry& entry : result.quarantined) {
        leave_quarantine(quarantine_.find(entry.entity));
        quarantine_.insert_or_assign(entry.entity, entry);
    }
    if (PAWL_PLANTED(quarantine_not_in_transaction)) result.quarantined.clear();
    changes.emplace_back(journal::ApplyBatch{.pipeline = pipeline_.name,
                                             .batch = batch,
                                             .outcome = result.outcome,
                                             .quarantined = std::move(result.quarantined),
                                             .released = std::move(result.released),
                                             .anchor = newer(result.anchor),
                                             .at = now});
    if (const auto& anchor = std::get<journal::ApplyBatch>(changes.back()).anchor)
        journal::keep_anchor(pipeline_, *anchor);
    commit_prefix(now, changes);
}

bool Ledger::may_commit(const Open& batch) const {
    if (PAWL_PLANTED(committed_before_applied)) return true;
    return batch.applied && (batch.cleaned || !has_outbox());
}

void Ledger::commit_prefix(TimeMs now, Changes& changes) {
    journal::CommitBatches change{
        .pipeline = pipeline_.name, .batches = {}, .watermark = 0, .at = now, .fill = pipeline_.fill};
    while (!open_.empty() && may_commit(open_.begin()->second)) {
        const Open& batch = open_.begin()->second;
        if (batch.fill) {
            const std::uint64_t rows = change.fill->rows + batch.fill->rows;
            change.fill =
                batch.fill->last ? std::nullopt : std::optional(journal::Fill{batch.fill->through, rows});
        } else if (has_outbox()) {
            // Its rows are deleted by now, and so far it must say, whatever a retry of an older row has open.
            change.watermark = std::max(change.watermark, batch.revisions.highest());
        }
        change.batches.push_back(open_.begin()->first);
        open_.erase(open_.begin());
    }
    if (change.batches.empty()) return;
    commit(std::move(change), changes);
}

void Ledger::commit(journal::CommitBatches change, Changes& changes) {
    change.watermark = std::max(change.watermark, watermark());
    journal::move_watermark(pipeline_, change.watermark);
    journal::move_fill(pipeline_, change.fill);
    changes.emplace_back(std::move(change));
}

void Ledger::end_fill(TimeMs now, Changes& changes) {
    PAWL_ASSERT(pipeline_.fill);
    if (!open_.empty()) {
        open_.rbegin()->second.fill->last = true;
        return;
    }
    commit({.pipeline = pipeline_.name, .batches = {}, .watermark = 0, .at = now, .fill = {}}, changes);
}

IntervalSet Ledger::rows_to_delete() const {
    const IntervalSet kept = PAWL_PLANTED(quarantined_rows_deleted) ? IntervalSet() : rows_in_quarantine();
    IntervalSet rows = left_quarantine_;
    rows.erase_above(deleted_at_most());
    rows.erase(kept);  // a row that is back in quarantine counts no more: it would not go
    keep_lowest(rows, limits::clean_up_rows_max);
    for (const auto& [id, batch] : open_) {
        if (!batch.applied && !PAWL_PLANTED(deleted_before_applied)) break;
        IntervalSet part = batch.revisions;
        part.erase(kept);
        if (!rows.empty() && rows.count() + part.count() > limits::clean_up_rows_max) break;
        rows.insert(part);
    }
    return rows;
}

Revision Ledger::deleted_at_most() const {
    Revision through = pipeline_.watermark;
    for (const auto& [id, batch] : open_) {
        if (!batch.applied) break;
        // Not one of a fill: as there is nothing to delete for it, it is COMMITTED as soon as it is APPLIED.
        through = std::max(through, batch.revisions.highest());
    }
    return through;
}

IntervalSet Ledger::rows_in_quarantine() const {
    std::vector<Revision> revisions;
    for (const auto& [entity, entry] : quarantine_)
        if (entry.revision > 0) revisions.push_back(entry.revision);
    std::ranges::sort(revisions);
    IntervalSet rows;
    for (const Revision revision : revisions)
        rows.insert(revision);
    return rows;
}

IntervalSet Ledger::rows_in_use() const {
    IntervalSet rows = left_quarantine_;
    rows.erase_through(deleted_at_most());
    rows.insert(rows_in_quarantine());
    const auto in_use = std::ranges::find_if(open_, [](const auto& open) { return !open.second.applied; });
    for (const auto& [id, batch] : std::ranges::subrange(in_use, open_.end()))
        rows.insert(batch.revisions);
    return rows;
}

IntervalSet Ledger::rows_known() const {
    IntervalSet rows = rows_in_use();
    rows.insert(left_quarantine_);
    for (const auto& [id, batch] : open_)
        rows.insert(batch.revisions);
    return rows;
}

void Ledger::rows_deleted(const IntervalSet& revisions, TimeMs now, Changes& changes) {
    left_quarantine_.erase(revisions);
    if (open_.empty() || !open_.begin()->second.applied) return;
    const IntervalSet kept = rows_in_quarantine();
    for (auto& [id, batch] : open_) {
        if (!batch.applied) break;
        IntervalSet rest = batch.revisions;
        rest.erase(revisions);
        rest.erase(kept);
        batch.cleaned = batch.cleaned || rest.empty();
    }
    commit_prefix(now, changes);
}

void Ledger::rows_are_gone(const IntervalSet& revisions, Changes& changes) {
    std::vector<std::string> entities;
    for (const auto& [entity, entry] : quarantine_)
        if (revisions.contains(entry.revision)) entities.push_back(entity);
    if (PAWL_PLANTED(gone_rows_stay_in_quarantine)) return;
    if (!entities.empty()) drop_quarantine(entities, changes);  // none would mean all
}

void Ledger::leave_quarantine(Quarantine::iterator entry) {
    if (entry == quarantine_.end()) return;
    if (has_outbox() && entry->second.revision > 0) left_quarantine_.insert(entry->second.revision);
    quarantine_.erase(entry);
}

// Below the oldest gap and below every open batch. Never moves back: a retry from quarantine opens a batch of
// old revisions, which owes nothing that the quarantine does not remember.
Revision Ledger::watermark() const {
    Revision mark = pipeline_.high;
    if (PAWL_PLANTED(watermark_is_high)) return mark;
    if (!gaps_.empty()) mark = std::min(mark, gaps_.lowest() - 1);
    if (PAWL_PLANTED(watermark_over_open_batches)) return std::max(mark, pipeline_.watermark);
    for (const auto& [id, batch] : open_)
        if (!batch.fill) mark = std::min(mark, batch.revisions.lowest() - 1);
    return std::max(mark, pipeline_.watermark);
}

void Ledger::record_checkpoint(const journal::Checkpoint& checkpoint, Changes& changes) {
    const journal::RecordCheckpoint change{pipeline_.name, checkpoint};
    journal::record_checkpoint(pipeline_, change);
    changes.emplace_back(change);
}

void Ledger::set_shape(std::uint64_t shape, std::vector<journal::Anchor> anchors, Changes& changes) {
    journal::SetShape change{pipeline_.name, shape, std::move(anchors)};
    journal::set_shape(pipeline_, change);
    changes.emplace_back(std::move(change));
}

void Ledger::note_incident(std::string_view label, std::string text, TimeMs now, Changes& changes) {
    PAWL_ASSERT(recorded_);
    changes.emplace_back(journal::NoteIncident{pipeline_.name, std::string(label), std::move(text), now});
}

void Ledger::set_condition(Condition condition, std::string detail, TimeMs now, Changes& changes) {
    if (pipeline_.condition == condition && pipeline_.condition_detail == detail) return;
    recorded_ = true;
    journal::SetCondition change{pipeline_.name, condition, std::move(detail), now};
    journal::set_condition(pipeline_, change);
    changes.emplace_back(std::move(change));
}

void Ledger::request_retry(const std::vector<std::string>& entities, Changes& changes) {
    if (!known_) return;
    for (auto& [entity, entry] : quarantine_)
        if (is_meant(entities, entity)) entry.retry_requested = true;
    changes.emplace_back(journal::RetryQuarantine{pipeline_.name, entities});
}

void Ledger::drop_quarantine(const std::vector<std::string>& entities, Changes& changes) {
    if (!known_) return;
    for (auto entry = quarantine_.begin(); entry != quarantine_.end();) {
        const auto here = entry++;
        if (is_meant(entities, here->first)) leave_quarantine(here);
    }
    changes.emplace_back(journal::DropQuarantine{pipeline_.name, entities});
}

void Ledger::retries_begun(const IntervalSet& revisions) {
    for (auto& [entity, entry] : quarantine_)
        if (revisions.contains(entry.revision)) entry.retry_requested = false;
}

}  // namespace pawl::engine
