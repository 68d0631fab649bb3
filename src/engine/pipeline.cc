// The course of a pipeline: prepare, recover, work, come to rest.
#include "engine/pipeline.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

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
    keep_lease();
    if (!stopping_ && lease_.ours()) work();
    finish_if_done();
}

void Pipeline::work() {
    if (recovered_) look_after_memory();
    prepare();
    if (!ready()) return;
    look_up_if_due();
    // Not after a sleep: what is known may be of a time before another pawl had the lease.
    if (!recovered_ && history_ && lease_.holds_at(now_)) recover();
    if (!recovered_ || finished_) return;  // recovery may have refused
    take_kept_page();
    begin_read();
    begin_sends();
    clean_up_if_due();
}

void Pipeline::prepare() {
    if (trouble_.waiting(Lane::prepare)) return;
    if (!source_ && !source_asked_.under_way()) {
        source_asked_.begin();
        effects_.emplace_back(PrepareSource{});
    }
    // What it remembers must not be read while it is being written.
    const bool wanted = (!target_ || target_due_) && !checkpoint_asked_.under_way();
    if (wanted && !target_asked_.under_way()) {
        target_due_ = false;
        target_asked_.begin();
        effects_.emplace_back(PrepareTarget{});
    }
}

void Pipeline::on(const Begin&) {}

void Pipeline::on(const SourceReady& event) {
    if (!source_asked_.end()) return;
    source_ = event.facts;
    tell_source_warnings();
    if (ready()) success(Lane::prepare);
}

// Each time that they are others than before: the table is looked at again whenever the lease is won.
void Pipeline::tell_source_warnings() {
    std::vector<std::string> texts;
    for (const Error& warning : source_->warnings)
        texts.push_back(warning.message);
    if (std::exchange(source_warnings_told_, texts) == texts) return;
    for (const Error& warning : source_->warnings)
        tell(Severity::warning, warning.message, warning.advice);
}

void Pipeline::on(const SourceFailed& event) {
    if (!source_asked_.end()) return;
    gap_closing_.forget();
    trouble(Lane::prepare, event.error);
}

void Pipeline::on(const TargetReady& event) {
    if (!target_asked_.end()) return;
    target_ = event.facts;
    if (event.facts.created)
        tell(Severity::info, fmt::format("created index {} behind alias {}", event.facts.identity.index,
                                         event.facts.identity.alias));
    if (ready()) success(Lane::prepare);
    if (!recovered_) return;
    if (target_fact() == TargetFact::same && memory_fact() == MemoryFact::known) {
        write_checkpoint_if_worth();
        effects_.emplace_back(SetTimer{Timer::checkpoint, settings_.limits.checkpoint_interval_ms,
                                       settings_.limits.checkpoint_interval_ms});
        return;
    }
    // Another index than before, or it was restored: all that was under way was meant for the old one. Where
    // the history ends by now is asked for again: that far the index may know more than this process.
    recover_anew();
    doubt_again();
}

void Pipeline::on(const TargetFailed& event) {
    if (!target_asked_.end()) return;
    target_due_ = true;
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
    if (event.timer == Timer::lease) lease_.rested();
    if (event.timer == Timer::checkpoint) memory_due_ = true;
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

bool Pipeline::at_rest() const {
    if (stopping_) return in_flight_.empty();
    if (!ready() || !recovered_ || !works_.empty() || read_asked_) return false;
    if (!lease_.holds_at(now_))
        return false;  // another pawl may have moved rows on, and not have sent them yet
    if (settings_.until == Until::recovered) return ledger_.open_batches().empty();
    const bool caught_up =
        PAWL_PLANTED(caught_up_without_gaps) ? reading_.tail_complete() : reading_.caught_up(ledger_);
    if (has_outbox() && !(clean_up_.late_known && ledger_.rows_to_delete().empty())) return false;
    if (trouble_.failing(Lane::clean_up)) return false;
    if (ledger_.pipeline().fill) return false;
    return settings_.until == Until::caught_up && caught_up;
}

void Pipeline::finish_if_done() {
    if (finished_ || written_ticket_ < last_ticket_ || !changes_.empty() || !at_rest()) return;
    if (!remembers_before_finish()) finish(std::nullopt);
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
