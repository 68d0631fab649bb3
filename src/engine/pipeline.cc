// The course of a pipeline: prepare, recover, work, come to rest.
#include "engine/pipeline.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/planted.h"

namespace pawl::engine {

Pipeline::Pipeline(PipelineSettings settings, std::optional<journal::PipelineSnapshot> journal)
    : settings_(std::move(settings)),
      ledger_(settings_.name, std::move(journal)),
      reading_(settings_.limits),
      gap_closing_(settings_.limits),
      trouble_(settings_.limits),
      request_actions_max_(settings_.limits.batch_rows_max) {}

std::vector<Effect> Pipeline::step(const Event& event, TimeMs now) {
    PAWL_ASSERT(now >= now_);
    if (finished_) return {};
    now_ = now;
    std::visit([this](const auto& happened) { on(happened); }, event);
    if (!finished_) advance();
    write_changes();
    return std::exchange(effects_, {});
}

void Pipeline::advance() {
    if (!stopping_) {
        prepare();
        if (ready() && !recovered_) recover();
        if (ready() && !finished_) {  // recovery may have refused
            begin_read();
            begin_sends();
        }
    }
    finish_if_done();
}

void Pipeline::prepare() {
    if (trouble_.waiting(Lane::prepare)) return;
    if (!source_ && !source_asked_) {
        source_asked_ = true;
        effects_.emplace_back(PrepareSource{});
    }
    if (!target_ && !target_asked_) {
        target_asked_ = true;
        effects_.emplace_back(PrepareTarget{});
    }
}

void Pipeline::on(const Begin&) {}

void Pipeline::on(const SourceReady& event) {
    source_asked_ = false;
    source_ = event.facts;
    if (ready()) success(Lane::prepare);
}

void Pipeline::on(const SourceFailed& event) {
    source_asked_ = false;
    gap_closing_.forget();
    trouble(Lane::prepare, event.error);
}

void Pipeline::on(const TargetReady& event) {
    target_asked_ = false;
    target_ = event.facts;
    if (event.facts.created)
        tell(Severity::info, fmt::format("created index {} behind alias {}", event.facts.identity.index,
                                         event.facts.identity.alias));
    // Another index than before, found while running: all that was under way was meant for the old one. Where
    // the history ends by now is asked for again: that far the index may know more than this process.
    if (recovered_ && event.facts.identity.uuid != ledger_.pipeline().target.uuid) {
        recovered_ = false;
        source_.reset();
    }
    if (ready()) success(Lane::prepare);
}

void Pipeline::on(const TargetFailed& event) {
    target_asked_ = false;
    trouble(Lane::prepare, event.error);
}

void Pipeline::on(const JournalWritten& event) {
    PAWL_ASSERT(event.ticket > written_ticket_);
    written_ticket_ = event.ticket;
    std::vector<BatchId> free_to_send;
    for (const auto& [batch, ticket] : intent_ticket_)
        if (ticket <= written_ticket_) free_to_send.push_back(batch);
    for (const BatchId batch : free_to_send) {
        intent_ticket_.erase(batch);
        apply_if_acknowledged(batch);  // a batch of nothing but invalid rows has nothing to send
    }
}

void Pipeline::on(const TimerFired& event) {
    if (event.timer == Timer::poll) polling_ = false;
    if (const auto lane = Trouble::lane_of(event.timer)) trouble_.timer_fired(*lane);
}

void Pipeline::on(const RetryAsked& event) {
    ledger_.request_retry(event.entities, changes_);
}

void Pipeline::on(const DropAsked& event) {
    ledger_.drop_quarantine(event.entities, changes_);
}

void Pipeline::on(const StopAsked&) {
    stopping_ = true;
}

// Both servers have answered: what did the last process leave, and what follows? The table is in recovery.h.
void Pipeline::recover() {
    const auto& identity = target_->identity;
    RecoveryFacts facts;
    facts.journal = ledger_.known() ? JournalFact::present : JournalFact::absent;
    facts.source = !ledger_.known() || ledger_.pipeline().source == settings_.source ? SourceFact::same
                                                                                     : SourceFact::other;
    facts.target = ledger_.known() && PAWL_PLANTED(new_index_not_noticed) ? TargetFact::same
                   : target_->created                                     ? TargetFact::created
                   : ledger_.known() && ledger_.pipeline().target.uuid == identity.uuid
                       ? TargetFact::same
                       : TargetFact::existing;
    ReportRecovery report;
    for (const auto& [id, batch] : ledger_.open_batches()) {
        facts.batch = batch.applied ? BatchFact::applied : BatchFact::intent;
        report.steps.push_back({&decide(facts), id});
    }
    facts.batch = BatchFact::none;
    if (report.steps.empty()) report.steps.push_back({&decide(facts), 0});

    const RecoveryRow& first = *report.steps.front().row;
    recovered_ = true;
    switch (first.decision) {
        case Decision::begin:
        case Decision::adopt:
            report.steps = {{&first, 0}};  // open batches were meant for another index: one decision for all
            start_over(first.decision);
            break;
        case Decision::refuse:
            stop_for_good(
                journal::Condition::source_changed,
                Error{ErrorKind::decision, std::string(first.explanation),
                      "give the pipeline a new name and a new alias, or restore its former mode, database "
                      "and table in the config"});
            break;
        case Decision::go_on:
        case Decision::replay:
        case Decision::roll_forward:
            if (!PAWL_PLANTED(no_latest_after_start)) reading_.latest_through(source_->history_end);
            for (const auto& [id, batch] : ledger_.open_batches())
                if (!batch.applied) works_.emplace(id, BatchWork(settings_.name, batch.revisions));
            ledger_.set_condition(journal::Condition::running, "", now_, changes_);
            ledger_.commit_prefix(now_, changes_);
            break;
    }
    effects_.emplace_back(std::move(report));
}

void Pipeline::start_over(Decision decision) {
    works_.clear();
    if (!PAWL_PLANTED(old_answers_not_forgotten)) in_flight_.clear();
    intent_ticket_.clear();
    read_asked_.reset();
    reading_.reset();
    // Requests that were meant for the index before may still arrive in a new one behind the same alias.
    const bool may_hold_rows = decision == Decision::adopt || ledger_.known();
    ledger_.begin(settings_.source, target_->identity, now_, changes_);
    if (may_hold_rows) reading_.latest_through(source_->history_end);
}

void Pipeline::finish_if_done() {
    if (finished_ || written_ticket_ < last_ticket_ || !changes_.empty()) return;
    if (stopping_) {
        if (in_flight_.empty()) finish(std::nullopt);
        return;
    }
    if (!ready() || !works_.empty() || read_asked_) return;
    if (settings_.until == Until::recovered) finish(std::nullopt);
    const bool caught_up =
        PAWL_PLANTED(caught_up_without_gaps) ? reading_.tail_complete() : reading_.caught_up(ledger_);
    if (settings_.until == Until::caught_up && caught_up) finish(std::nullopt);
}

void Pipeline::finish(std::optional<Error> error) {
    finished_ = true;
    effects_.emplace_back(Finish{std::move(error)});
}

void Pipeline::write_changes() {
    if (changes_.empty()) return;
    // A pipeline that has just stopped still has its condition to write; it need not hear that it was
    // written.
    effects_.insert(effects_.begin(), WriteJournal{++last_ticket_, std::exchange(changes_, {})});
}

}  // namespace pawl::engine
