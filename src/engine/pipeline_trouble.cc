// What does not work, how long it is left alone, and who hears of it.
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "engine/pipeline.h"

namespace pawl::engine {

using journal::Condition;

void Pipeline::trouble(Lane lane, const Error& error) {
    switch (error.kind) {
        case ErrorKind::unavailable:
        case ErrorKind::overloaded:
        case ErrorKind::too_large:
        case ErrorKind::rejected:
        case ErrorKind::target_missing:
        case ErrorKind::forbidden:
            break;
        case ErrorKind::invalid:
        case ErrorKind::storage:
        case ErrorKind::decision:
            stop_for_good(Condition::refused, error);
            return;
    }
    const bool first_look = !recovered_;
    const bool patient = settings_.until == Until::stopped;
    const auto since = trouble_.since();
    const bool long_enough = since && now_ - *since >= settings_.limits.give_up_after_ms;
    if (!patient && (first_look || long_enough || error.kind == ErrorKind::forbidden)) {
        finish(error);
        return;
    }
    const DelayRange delay = trouble_.failed(lane, error.kind, now_);
    effects_.emplace_back(SetTimer{Trouble::timer_of(lane), delay.min_ms, delay.max_ms});
    tell_now_and_then(error);
    ledger_.set_condition(error.kind == ErrorKind::forbidden ? Condition::forbidden : Condition::retrying,
                          told_[error.kind].text, now_, changes_);
}

void Pipeline::success(Lane lane) {
    if (!trouble_.succeeded(lane)) return;
    if (std::exchange(trouble_told_, false)) tell(Severity::info, "works again");
    ledger_.set_condition(Condition::running, "", now_, changes_);
}

void Pipeline::stop_for_good(Condition condition, const Error& error) {
    if (finished_) return;
    ledger_.set_condition(condition, to_line(error), now_, changes_);
    finish(error);
}

// An incident only the first time: who starts it again and again is not to lose the earlier ones.
void Pipeline::stop_by(const RecoveryRow& row, journal::Condition condition, const Error& error,
                       const std::string& incident) {
    const bool is_news = ledger_.pipeline().condition != condition;
    stop_for_good(condition, error);
    if (is_news) ledger_.note_incident(row.label, incident, now_, changes_);
}

void Pipeline::tell(Severity severity, std::string text, std::string advice) {
    effects_.emplace_back(Notice{severity, std::move(text), std::move(advice)});
}

void Pipeline::tell_quarantined(const std::vector<journal::QuarantineEntry>& entries) {
    for (std::size_t i = 0; i < entries.size() && i < limits::quarantine_notices_max; ++i)
        tell(Severity::warning,
             fmt::format("quarantined entity {} at revision {}: {}: {}", entries[i].entity,
                         entries[i].revision, entries[i].error, entries[i].reason),
             "mend it in the database (a newer row is tried by itself); see: pawl quarantine list");
    if (entries.size() > limits::quarantine_notices_max)
        tell(Severity::warning,
             fmt::format("quarantined {} more entities", entries.size() - limits::quarantine_notices_max),
             "see: pawl quarantine list");
}

// The same trouble once a minute: an outage of an hour is 60 lines, not 7,000; and so is an hour in which
// every other request fails.
void Pipeline::tell_now_and_then(const Error& error) {
    const auto before = told_.find(error.kind);
    if (before != told_.end() && now_ - before->second.at < limits::notice_interval_ms) return;
    told_[error.kind] = {now_, error.message};
    trouble_told_ = true;
    tell(Severity::warning, error.message, error.advice);
}

}  // namespace pawl::engine
