// All is known of both servers: what did the last process leave, and what follows? The table is in
// engine/recovery.h.
#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/planted.h"
#include "engine/pipeline.h"

namespace pawl::engine {
namespace {

// What an operator should find later: that a pipeline has started over, where that is no everyday thing.
bool is_incident(const RecoveryRow& row, bool was_known) {
    return row.decision == Decision::resume || (was_known && row.decision != Decision::fill);
}

}  // namespace

TargetFact Pipeline::target_fact() const {
    const bool is_ours = ledger_.known() && ledger_.pipeline().target.uuid == target_->identity.uuid;
    if (ledger_.known() && PAWL_PLANTED(new_index_not_noticed)) return TargetFact::same;
    if (is_ours) return TargetFact::same;
    // One that was made before a crash, and one that somebody has made for this pipeline, is as good as new.
    const bool is_new = target_->created || (has_outbox() && target_->empty);
    return is_new ? TargetFact::created : TargetFact::existing;
}

// Where the index itself names its source, that is what its versions are revisions of.
SourceFact Pipeline::source_fact() const {
    const bool other_than_remembered =
        target_->remembered && (target_->remembered->source != settings_.source ||
                                !target_->remembered->why_other_entities(settings_.entities).empty());
    const bool other_than_journaled = ledger_.known() && ledger_.pipeline().source != settings_.source;
    const bool by_journal = !target_->remembered || target_fact() == TargetFact::same;
    return other_than_remembered || (by_journal && other_than_journaled) ? SourceFact::other
                                                                         : SourceFact::same;
}

RecoveryFacts Pipeline::recovery_facts() const {
    const bool comparable = target_fact() == TargetFact::same || memory_fact() != MemoryFact::none;
    return {.mode = settings_.source.mode,
            .journal = ledger_.known() ? JournalFact::present : JournalFact::absent,
            .source = source_fact(),
            .history = comparable && history_->went_back ? HistoryFact::went_back : HistoryFact::intact,
            .target = target_fact(),
            .memory = memory_fact(),
            .batch = BatchFact::none,
            .fill = fill_fact()};
}

// Of the index behind the alias. Where another pawl has fed it further, it knows better than this journal;
// where it may lack deleted rows, going on with its fill would not bring them.
FillFact Pipeline::fill_fact() const {
    if (!has_outbox()) return FillFact::done;
    const MemoryFact memory = memory_fact();
    const bool is_same = target_fact() == TargetFact::same;
    if (!is_same && memory == MemoryFact::older) return FillFact::done;
    const bool by_journal = is_same && (memory != MemoryFact::newer || !target_->remembered);
    if (is_same && !by_journal && PAWL_PLANTED(fill_of_another_pawl_taken_for_done)) return FillFact::done;
    const bool is_unfinished = by_journal ? ledger_.pipeline().fill.has_value()
                                          : target_->remembered && target_->remembered->filling;
    return is_unfinished ? FillFact::unfinished : FillFact::done;
}

void Pipeline::recover() {
    RecoveryFacts facts = recovery_facts();
    ReportRecovery report;
    for (const auto& [id, batch] : ledger_.open_batches()) {
        facts.batch = batch.applied ? BatchFact::applied : BatchFact::intent;
        report.steps.push_back({&decide(facts), id});
    }
    facts.batch = BatchFact::none;
    const RecoveryRow& first = report.steps.empty() ? decide(facts) : *report.steps.front().row;
    recovered_ = true;
    claimed_ = !has_outbox();
    switch (first.decision) {
        case Decision::begin:
        case Decision::fill:
        case Decision::adopt:
        case Decision::resume:
            report.steps.clear();  // open batches were meant for another index: one decision for all
            start_over(first);
            break;
        case Decision::refill:
        case Decision::refuse:
            report.steps.clear();
            refuse(first);
            break;
        case Decision::regressed:
            report.steps.clear();
            regress(facts.target, *history_->went_back);
            break;
        case Decision::go_on:
        case Decision::replay:
        case Decision::roll_forward:
            go_on();
            break;
    }
    if (report.steps.empty()) report.steps.push_back({&first, 0});
    effects_.emplace_back(std::move(report));
    if (finished_) return;
    if (settings_.until == Until::caught_up) reading_.end_tail_at(source_->history_end);
    clean_up_.late_known = false;
    effects_.emplace_back(SetTimer{Timer::checkpoint, settings_.limits.checkpoint_interval_ms,
                                   settings_.limits.checkpoint_interval_ms});
}

void Pipeline::refuse(const RecoveryRow& row) {
    std::string text(row.explanation);
    if (const auto& remembered = target_->remembered; remembered && row.decision == Decision::refuse)
        if (const auto why = remembered->why_other_entities(settings_.entities); !why.empty())
            text += ": " + why;
    const bool needs_refill = row.decision == Decision::refill;
    const auto condition =
        needs_refill ? journal::Condition::refill_needed : journal::Condition::source_changed;
    const std::string advice =
        needs_refill
            ? std::string(refill_advice)
            : "restore its former mode, database, table and entity in the config, or fill a new index from "
              "the present ones: pawl rebuild";
    stop_by(row, condition, {ErrorKind::decision, text, advice},
            fmt::format("{}; index {}", text, target_->identity.index));
}

void Pipeline::go_on() {
    if (!PAWL_PLANTED(no_latest_after_start)) reading_.latest_through(source_->history_end);
    for (const auto& [id, batch] : ledger_.open_batches())
        if (!batch.applied) works_.emplace(id, BatchWork(settings_.name, batch.revisions));
    look_for_quarantined_rows();
    follow_shape(question_, history_->answer);
    ledger_.set_condition(journal::Condition::running, "", now_, changes_);
    ledger_.commit_prefix(now_, changes_);
}

// Another pawl may have dealt with the quarantine's rows since: those that are gone from the outbox leave it.
void Pipeline::look_for_quarantined_rows() {
    if (has_outbox() && !ledger_.quarantine().empty()) ledger_.request_retry({}, changes_);
}

// By what the history and the index are by then.
void Pipeline::recover_anew() {
    recovered_ = false;
    history_.reset();
    source_.reset();
    look_up_asked_.forget();
}

void Pipeline::forget_work() {
    works_.clear();
    if (!PAWL_PLANTED(old_answers_not_forgotten)) in_flight_.clear();
    intent_ticket_.clear();
    doubts_.clear();
    question_.doubts.clear();
    read_asked_.reset();
    page_kept_.reset();
    reading_.reset();
    fill_proof_.reset();
    filled_.reset();
    anchor_.reset();
    gap_closing_.forget();
    if (clean_up_.asked.under_way()) reading_.look_again();  // it may yet take effect
    clean_up_.forget();
}

// What the index remembers, with what is owed. Of an outbox that is all that it still holds; and it counts as
// late: a request of the pawl before may still arrive, with the version that a row would have here, but from
// an older snapshot.
void Pipeline::take_up_memory(journal::BeginPipeline& change) const {
    if (has_outbox()) change.high = end_of_outbox();
    if (!target_->remembered) return;  // outbox mode: somebody has overwritten it
    const Remembered& remembered = *target_->remembered;
    if (!has_outbox()) change.high = remembered.revision;
    change.checkpoint = journal::Checkpoint{remembered.revision, remembered.written_at};
    // Not where that row is gone: it may have been pruned, which the look-up takes for no harm as long as the
    // newest anchor is there. But that one is the journal's, which begins anew without it.
    if (remembered.anchor && history_->answer.shape == source_->shape)
        change.anchor = question_.found_at(remembered.anchor->revision, history_->answer);
    if (has_outbox()) return;
    change.gaps = remembered.owed;
    for (const auto& [entity, entry] : ledger_.quarantine())
        change.gaps.insert(entry.revision);
    for (const auto& [id, batch] : ledger_.open_batches())
        change.gaps.insert(batch.revisions);
    change.gaps.erase_above(change.high);
    change.gaps.merge_down_to(settings_.limits.gaps_max);
}

// The table has by now what all rows of the outbox stood for that were written before, also the deleted ones.
// So an index that is filled from it now lacks nothing of them. It says so by the revision of its checkpoint,
// to a pawl whose journal is of an index before it. Rows that are still there count as late.
void Pipeline::begin_fill(journal::BeginPipeline& change) const {
    change.fill = journal::Fill{};
    change.high = end_of_outbox();
}

// All that is there by now is at or below it. Another pawl may have taken an id since this one did.
Revision Pipeline::end_of_outbox() const {
    const auto& remembered = target_->remembered;
    return std::max(source_->history_end, remembered ? remembered->revision : 0);
}

// From 0, or from what the index remembers. Its quarantine, and ours, is owed: it may have been mended where
// this journal did not see it. So is what was open when the alias moved: a request of it may have come to
// this index with rows that are older than what was there.
void Pipeline::start_over(const RecoveryRow& row) {
    forget_work();
    const bool was_known = ledger_.known();
    const bool goes_on = row.decision == Decision::fill && target_fact() == TargetFact::same;
    // Requests that were meant for the index before may still arrive in a new one behind the same alias.
    const bool may_hold_rows = row.decision != Decision::begin || was_known;
    journal::BeginPipeline change{.pipeline = {},
                                  .source = settings_.source,
                                  .target = target_->identity,
                                  .shape = source_->shape,
                                  .at = now_};
    if (row.decision == Decision::resume)
        take_up_memory(change);
    else if (!has_outbox())
        change.anchor = anchor_of_end();
    if (goes_on) {
        change.fill = ledger_.pipeline().fill.value_or(journal::Fill{});
        change.high = memory_fact() == MemoryFact::newer ? end_of_outbox() : ledger_.pipeline().high;
        if (const auto& told = target_->remembered)
            change.checkpoint = journal::Checkpoint{told->revision, told->written_at};
    } else if (has_outbox() && row.decision != Decision::resume)
        begin_fill(change);
    const bool has_new_shape = target_->remembered && target_->remembered->shape != 0 &&
                               target_->remembered->shape != source_->shape;
    // All of it is read again; and revisions of a history that went back mean nothing in this one.
    if (!ledger_.quarantine().empty() && !goes_on) ledger_.drop_quarantine({}, changes_);
    ledger_.begin(change, changes_);
    look_for_quarantined_rows();
    gap_closing_.begin();
    if (has_outbox()) {
        // Its rows are the latest ones as they are, and the table is read by the fill.
    } else if (may_hold_rows) {
        reading_.latest_through(source_->history_end);
    } else {
        reading_.fill_through(source_->history_end);
        filled_.emplace();
    }
    if (is_incident(row, was_known))
        ledger_.note_incident(row.label,
                              fmt::format("{}; index {}, from revision {}", row.explanation,
                                          target_->identity.index, ledger_.pipeline().high),
                              now_, changes_);
    if (has_new_shape) tell_new_shape();
    write_checkpoint_if_worth();  // from now on the index says whose it is
}

}  // namespace pawl::engine
