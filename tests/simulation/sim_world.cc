#include "tests/simulation/sim_world.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "tests/simulation/sim_process.h"

namespace pawl::simulation {
namespace {

constexpr TimeMs start_ms = 1'000'000;
constexpr TimeMs converge_within_ms = 600'000;  // a slow retry (forbidden) takes up to a minute

}  // namespace

void SimTally::add(const SimTally& other) {
    steps += other.steps;
    processes += other.processes;
    crashes += other.crashes;
    requests += other.requests;
    replays += other.replays;
    begins_again += other.begins_again;
    quarantined += other.quarantined;
    finished += other.finished;
    virtual_ms += other.virtual_ms;
}

std::string to_string(const SimTally& tally) {
    return fmt::format(
        "{} steps, {} virtual hours, {} processes ({} crashed, {} came to rest), {} replays, {} begun again, "
        "{} quarantined",
        tally.steps, tally.virtual_ms / 3'600'000, tally.processes, tally.crashes, tally.finished,
        tally.replays, tally.begins_again, tally.quarantined);
}

SimWorld::SimWorld(const SimOptions& options)
    : options_(options),
      random_(options.seed),
      clock_(start_ms),
      history_(options.entities),
      cluster_(history_, options.gc_deletes_ms),
      checks_(options_, history_, cluster_, journal_),
      starts_at_(start_ms),
      transactions_left_(options.transactions) {
    journal_.before_commit = [this] {
        weather_.point();
        return !std::exchange(journal_fails_next_, false);
    };
    journal_.after_commit = [this] {
        checks_.journal_is_sound();
        weather_.point();
    };
}

SimWorld::~SimWorld() = default;

void SimWorld::run() {
    write();
    strike();
    while (clock_.now() < start_ms + options_.faults_end_ms || transactions_left_ > 0)
        step();
    calm_down();
    converge();
    tally_.virtual_ms = static_cast<std::uint64_t>(clock_.now() - start_ms);
}

// The next thing happens, wherever that is.
void SimWorld::step() {
    ++tally_.steps;
    const TimeMs now = clock_.now();
    if (!process_ && now >= starts_at_) start_process();
    const bool awake = process_ && now >= sleeps_until_;
    if (awake && process_->wants_to_run(now)) {
        hand_over_events();
        return;
    }
    std::optional<TimeMs> own = process_ ? process_->runner.next_due() : starts_at_;
    if (process_ && !process_->inbox->empty()) own = now;
    if (process_ && own) own = std::max(*own, sleeps_until_);
    const auto outside = clock_.next_time();
    PAWL_ASSERT(own || outside);
    if (outside && (!own || *outside <= *own))
        clock_.do_next();
    else
        clock_.advance_to(std::max(now, *own));
}

void SimWorld::start_process() {
    ++tally_.processes;
    auto until = engine::Until::stopped;
    if (!weather_.calm && random_.percent(30))
        until = random_.percent(70) ? engine::Until::caught_up : engine::Until::recovered;
    const SimParts parts{options_, clock_, random_, history_, cluster_, checks_, weather_};
    weather_.points_to_live = 0;
    finish_.reset();
    process_ =
        std::make_unique<Process>(parts, journal_, static_cast<engine::Observer&>(*this), random_, until);
    process_->latest_at_start = checks_.latest_rows();
    hand_over_events();
}

void SimWorld::end_process(TimeMs pause) {
    process_.reset();
    weather_.points_to_live = 0;
    journal_fails_next_ = false;
    starts_at_ = clock_.now() + pause;
}

void SimWorld::hand_over_events() {
    try {
        const auto handled = process_->runner.handle(std::exchange(*process_->inbox, {}), clock_.now());
        checks_.memory_is_bounded();
        if (!handled) {
            end_process(random_.between(0, 2'000));
            return;
        }
    } catch (const Crash&) {
        ++tally_.crashes;
        end_process(random_.between(0, random_.percent(20) ? 3 * options_.gc_deletes_ms : 200));
        return;
    }
    if (!process_->runner.finished()) return;
    PAWL_ASSERT(finish_);
    look_at_finished(*finish_);
    end_process(random_.between(0, 2'000));
}

void SimWorld::look_at_finished(const engine::Finish& finish) {
    ++tally_.finished;
    if (finish.error) {
        if (process_->until == engine::Until::stopped)
            throw Violation{fmt::format("a daemon gave up: {}", to_line(*finish.error))};
        return;
    }
    if (process_->stop_asked) return;
    if (process_->until == engine::Until::stopped) throw Violation{"a daemon came to rest by itself"};
    if (process_->until == engine::Until::caught_up) checks_.accounted_for(process_->latest_at_start);
    if (journal_.open_batches() > 0)
        throw Violation{fmt::format("came to rest with {} open batches", journal_.open_batches())};
}

void SimWorld::calm_down() {
    weather_ = {.calm = true};
    journal_fails_next_ = false;
    sleeps_until_ = clock_.now();
    for (const auto& transaction : std::exchange(open_transactions_, {}))
        history_.end(transaction, random_.percent(70) ? Fate::committed : Fate::dead);
    // A deleted index is noticed by the next request: there is one more.
    history_.end({history_.insert(0, RowKind::good)}, Fate::committed);
    // What was refused before is asked for again once all old requests are answered.
    if (!options_.has(Fault::operator_retries)) return;
    cluster_.mend_mapping();
    const TimeMs goes_on_until = clock_.now() + options_.gc_deletes_ms + 2'000;
    while (clock_.now() < goes_on_until || !process_)
        step();
    process_->inbox->push_back({0, engine::RetryAsked{}});
    process_->stop_asked = false;
}

void SimWorld::converge() {
    const TimeMs deadline = clock_.now() + converge_within_ms;
    while (true) {
        for (int some = 0; some < 8; ++some)
            step();
        const std::string left = checks_.work_left();
        if (left.empty()) break;
        if (clock_.now() > deadline) throw Violation{fmt::format("did not converge: {}", left)};
    }
    // And so it stays.
    const TimeMs rest_until = clock_.now() + 2 * options_.limits.poll_interval_ms;
    while (clock_.now() < rest_until) {
        step();
        if (const std::string difference = checks_.difference(); !difference.empty())
            throw Violation{fmt::format("did not stay converged: {}", difference)};
    }
}

void SimWorld::notice(const std::string&, const engine::Notice& notice) {
    if (notice.text.starts_with("quarantined")) ++tally_.quarantined;
}

void SimWorld::recovered(const std::string&, const engine::ReportRecovery& report) {
    for (const engine::RecoveryStep& found : report.steps) {
        if (found.row->decision == engine::Decision::replay) ++tally_.replays;
        if (found.row->decision != engine::Decision::begin && found.row->decision != engine::Decision::adopt)
            continue;
        ++tally_.begins_again;
        process_->forget_requests();
    }
}

void SimWorld::finished(const std::string&, const engine::Finish& finish) {
    finish_ = finish;
}

}  // namespace pawl::simulation
