#include "engine/ledger.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "journal/transition.h"

namespace pawl::engine {

using journal::Condition;

namespace {

bool is_meant(const std::vector<std::string>& entities, const std::string& entity) {
    return entities.empty() || std::find(entities.begin(), entities.end(), entity) != entities.end();
}

}  // namespace

Ledger::Ledger(std::string name, std::optional<journal::PipelineSnapshot> journal)
    : known_(journal.has_value()) {
    pipeline_.name = std::move(name);
    if (!journal) return;
    PAWL_ASSERT(journal->pipeline.name == pipeline_.name);
    pipeline_ = std::move(journal->pipeline);
    if (!PAWL_PLANTED(gap_forgotten_at_restart)) gaps_ = std::move(journal->gaps);
    for (journal::Batch& batch : journal->batches) {
        if (batch.state == journal::BatchState::committed) continue;
        open_[batch.id] = {std::move(batch.revisions), batch.state == journal::BatchState::applied};
    }
    for (journal::QuarantineEntry& entry : journal->quarantine)
        quarantine_.emplace(entry.entity, std::move(entry));
}

void Ledger::begin(const journal::SourceIdentity& source, const journal::TargetIdentity& target, TimeMs now,
                   Changes& changes) {
    const journal::BeginPipeline change{
        .pipeline = pipeline_.name, .source = source, .target = target, .high = 0, .at = now};
    pipeline_ = journal::begin(known_ ? &pipeline_ : nullptr, change);
    known_ = true;
    gaps_ = {};
    open_.clear();
    changes.emplace_back(change);
}

BatchId Ledger::open(const IntervalSet& revisions, const IntervalSet& dead,
                     const journal::BatchContent& content, std::size_t gaps_max, TimeMs now,
                     Changes& changes) {
    PAWL_ASSERT(known_);
    journal::OpenBatch change;
    change.batch.id = pipeline_.last_batch + 1;
    change.batch.pipeline = pipeline_.name;
    change.batch.revisions = revisions;
    change.batch.content = content;
    change.batch.index_uuid = pipeline_.target.uuid;
    change.batch.intent_at = now;

    change.high = std::max(pipeline_.high, revisions.highest());
    const Revision first_new =
        PAWL_PLANTED(gap_before_first_row_missed) ? revisions.lowest() : pipeline_.high + 1;
    if (change.high > pipeline_.high) gaps_.insert(Interval{first_new, change.high});
    gaps_.erase(revisions);
    gaps_.erase(dead);
    if (gaps_.intervals().size() > gaps_max) gaps_.merge_down_to(gaps_max);
    change.gaps = gaps_;

    journal::open(pipeline_, change);
    open_[change.batch.id] = {revisions, false};
    const BatchId id = change.batch.id;
    changes.emplace_back(std::move(change));
    return id;
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
    for (const std::string& entity : result.released)
        quarantine_.erase(entity);
    std::erase_if(result.quarantined, [&](journal::QuarantineEntry& entry) {
        const auto before = quarantine_.find(entry.entity);
        if (before == quarantine_.end()) return false;
        if (before->second.revision > entry.revision && !PAWL_PLANTED(older_row_overwrites_quarantine))
            return true;  // its newer row is known to be rejected
        entry.since = before->second.since;
        entry.attempts = before->second.attempts + 1;
        return false;
    });
    for (const journal::QuarantineEntry& entry : result.quarantined)
        quarantine_.insert_or_assign(entry.entity, entry);
    if (PAWL_PLANTED(quarantine_not_in_transaction)) result.quarantined.clear();
    changes.emplace_back(journal::ApplyBatch{.pipeline = pipeline_.name,
                                             .batch = batch,
                                             .outcome = result.outcome,
                                             .quarantined = std::move(result.quarantined),
                                             .released = std::move(result.released),
                                             .at = now});
    commit_prefix(now, changes);
}

void Ledger::commit_prefix(TimeMs now, Changes& changes) {
    journal::CommitBatches change{.pipeline = pipeline_.name, .batches = {}, .watermark = 0, .at = now};
    while (!open_.empty() && (open_.begin()->second.applied || PAWL_PLANTED(committed_before_applied))) {
        change.batches.push_back(open_.begin()->first);
        open_.erase(open_.begin());
    }
    if (change.batches.empty()) return;
    change.watermark = watermark();
    journal::move_watermark(pipeline_, change.watermark);
    changes.emplace_back(std::move(change));
}

// Below the oldest gap and below every open batch. Never moves back: a retry from quarantine opens a batch of
// old revisions, which owes nothing that the quarantine does not remember.
Revision Ledger::watermark() const {
    Revision mark = pipeline_.high;
    if (PAWL_PLANTED(watermark_is_high)) return mark;
    if (!gaps_.empty()) mark = std::min(mark, gaps_.lowest() - 1);
    if (PAWL_PLANTED(watermark_over_open_batches)) return std::max(mark, pipeline_.watermark);
    for (const auto& [id, batch] : open_)
        mark = std::min(mark, batch.revisions.lowest() - 1);
    return std::max(mark, pipeline_.watermark);
}

void Ledger::set_condition(Condition condition, std::string detail, TimeMs now, Changes& changes) {
    if (!known_) return;
    if (pipeline_.condition == condition && pipeline_.condition_detail == detail) return;
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
    std::erase_if(quarantine_, [&](const auto& entry) { return is_meant(entities, entry.first); });
    changes.emplace_back(journal::DropQuarantine{pipeline_.name, entities});
}

void Ledger::retries_begun(const IntervalSet& revisions) {
    for (auto& [entity, entry] : quarantine_)
        if (revisions.contains(entry.revision)) entry.retry_requested = false;
}

}  // namespace pawl::engine
