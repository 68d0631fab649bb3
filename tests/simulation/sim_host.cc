#include "tests/simulation/sim_host.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace pawl::simulation {

SimProcess::SimProcess(const SimParts& parts, SimJournal& journal, engine::Observer& observer,
                       engine::Until runs_until)
    : until(runs_until),
      inbox(std::make_shared<SimInbox>()),
      lease_term(std::make_shared<engine::LeaseTerm>()),
      source(parts, inbox, lease_term),
      lease(parts, inbox, lease_term),
      target(parts, inbox, lease),
      runner(journal, observer, parts.world.random, [world = parts.world] { return world.clock.now(); }) {
    engine::PipelineSettings settings{.name = "lex",
                                      .source = {parts.world.options.mode, "karp", "lex"},
                                      .limits = parts.world.options.limits,
                                      .until = until};
    runner.add(engine::Pipeline(std::move(settings), journal.durable()), source, target, lease);
    inbox->push_back({0, engine::Begin{}});
}

bool SimProcess::wants_to_run(TimeMs now) const {
    if (!inbox->empty()) return true;
    const auto due = runner.next_due();
    return due && *due <= now;
}

SimHost::SimHost(SimShared world, SimChecks::Watched watched, SimTally& tally, TimeMs first_start)
    : world_(world),
      tally_(tally),
      checks_(world.options, watched, journal_),
      fuse_(world.trace),
      starts_at_(first_start) {
    journal_.before_commit = [this](std::span<const journal::Change> changes) {
        fuse_.boundary("before", "write_journal");
        const SimJournal::Disk disk = disk_at(world_.clock.now());
        if (!world_.trace.on()) return disk;
        for (const journal::Change& change : changes)
            world_.trace.say(fuse_.who(), "journals {}{}", in_words(change),
                             disk == SimJournal::Disk::refuses ? ": NO, the disk is full" : "");
        return disk;
    };
    journal_.after_commit = [this] {
        checks_.after_step();
        fuse_.boundary("after", "write_journal");
    };
}

SimJournal::Disk SimHost::disk_at(TimeMs now) {
    const auto disk = std::exchange(next_commit_, SimJournal::Disk::takes);
    return now < disk_full_until_ ? SimJournal::Disk::refuses : disk;
}

std::optional<TimeMs> SimHost::next_due() const {
    if (!process_) return starts_at_;
    const auto own = process_->inbox->empty() ? process_->runner.next_due() : world_.clock.now();
    if (!own) return std::nullopt;
    return std::max(*own, fuse_.sleeps_until());
}

bool SimHost::run() {
    const TimeMs now = world_.clock.now();
    if (!process_) {
        if (now < starts_at_) return false;
        start_process();
    } else if (now < fuse_.sleeps_until() || !process_->wants_to_run(now)) {
        return false;
    }
    hand_over_events();
    return true;
}

void SimHost::start_process() {
    auto until = engine::Until::stopped;
    if (!world_.weather.calm && world_.random.percent(30))
        until = world_.random.percent(70) ? engine::Until::caught_up : engine::Until::recovered;
    fuse_.renew(fmt::format("pawl {}", ++tally_.processes));
    world_.trace.say(fuse_.who(), "starts, {}",
                     until == engine::Until::stopped     ? "to run"
                     : until == engine::Until::caught_up ? "to sync"
                                                         : "to recover");
    // In the middle of recovery too, and twice in a row.
    if (world_.chance_of(Fault::crashes, 25))
        fuse_.set(static_cast<std::uint32_t>(1 + world_.random.below(10)));
    process_ = std::make_unique<SimProcess>(SimParts{world_, checks_, fuse_}, journal_,
                                            static_cast<engine::Observer&>(*this), until);
    process_->rows_at_start = checks_.latest_rows();
}

void SimHost::end_process(TimeMs pause) {
    process_.reset();
    next_commit_ = SimJournal::Disk::takes;
    starts_at_ = world_.clock.now() + pause;
}

void SimHost::post(engine::Event event) {
    if (!process_) return;
    if (std::holds_alternative<engine::StopAsked>(event)) process_->stop_asked = true;
    process_->inbox->push_back({0, std::move(event)});
}

void SimHost::calm_down() {
    fuse_.set(0);
    next_commit_ = SimJournal::Disk::takes;
    disk_full_until_ = 0;
    sleep_until(world_.clock.now());
}

void SimHost::hand_over_events() {
    SimRandom& random = world_.random;
    try {
        const auto handled = process_->runner.handle(std::exchange(*process_->inbox, {}));
        if (!handled) {
            ++tally_.disk_errors;
            world_.trace.say(fuse_.who(), "ends: {}", handled.error().message);
            end_process(random.between(0, 2'000));
            return;
        }
    } catch (const Crash& crash) {
        ++tally_.crashes;
        if (process_->target.sent() == 0) ++tally_.crashes_before_a_send;
        ++tally_.crashed_at[crash.boundary];
        end_process(random.between(0, random.percent(20) ? 3 * world_.options.gc_deletes_ms : 200));
        return;
    }
    if (!process_->runner.finished()) return;
    look_at_finished();
    end_process(random.between(0, 2'000));
}

void SimHost::look_at_finished() {
    PAWL_ASSERT(process_->finish);
    ++tally_.finished;
    if (process_->finish->error) {
        if (stopped_for_regression() || stopped_for_refill()) return rebuild();
        if (process_->until == engine::Until::stopped)
            throw Violation{fmt::format("a daemon gave up: {}", to_line(*process_->finish->error))};
        return;
    }
    if (process_->stop_asked) return;
    if (process_->until == engine::Until::stopped) throw Violation{"a daemon came to rest by itself"};
    if (process_->until == engine::Until::caught_up) checks_.accounted_for(process_->rows_at_start);
    if (journal_.open_batches() > 0)
        throw Violation{fmt::format("came to rest with {} open batches", journal_.open_batches())};
}

void SimHost::ask_for_retry() {
    if (!process_) return;
    retry_asked_of_ = fuse_.who();
    retries_before_ = journal_.retries();
    post(engine::RetryAsked{});
}

void SimHost::ask_for_retry_again() {
    const bool is_lost = !retry_asked_of_.empty() && retry_asked_of_ != fuse_.who();
    if (is_lost && journal_.retries() == retries_before_) ask_for_retry();
}

void SimHost::operator_looks() {
    if (!journal_.durable()) return;
    if (leads() && verify_finds_something()) return rebuild();
    const auto& quarantine = journal_.durable()->quarantine;
    const auto foreign = std::find_if(quarantine.begin(), quarantine.end(),
                                      [](const auto& entry) { return entry.error == "foreign_version"; });
    // `pawl verify` shows what an index has of a history that was: from a snapshot of a time when it
    // remembered nothing, or by a request that was on its way while both the history and the index were
    // replaced.
    const bool has_surplus = world_.history.restores() > 0 && checks_.index_holds_foreign_versions();
    if ((foreign == quarantine.end() && !has_surplus) || !leads()) return;
    if (world_.history.restores() == 0)
        throw Violation{fmt::format("{} stands against a version of its own history", foreign->entity)};
    checks_.heeds(process_->target.conflicts());
    rebuild();
}

bool SimHost::stopped_for_regression() const {
    const auto& durable = journal_.durable();
    if (!durable || durable->pipeline.condition != journal::Condition::source_regressed) return false;
    if (world_.history.restores() == 0)
        throw Violation{"a history that never went back is said to have: " +
                        durable->pipeline.condition_detail};
    return true;
}

// The index is not the one that the outbox was emptied into.
bool SimHost::stopped_for_refill() const {
    const std::string_view row = process_->refill_row;
    if (row.empty()) return false;
    const SimIndex* const index = world_.cluster.index();
    if (index == nullptr || index->is_anothers || (index->was_erased && row != "R18")) return true;
    if (row == "R18" && world_.history.restores() > 0) return true;  // the journal is of ids that are no more
    // It was made by a process that died at once, and has documents from requests to the index before it.
    if (row == "R17" && std::ranges::any_of(index->stored, &Stored::is_document)) return true;
    throw Violation{fmt::format("{}: a pawl's own index is said to need a refill", row)};
}

// Outbox mode, what nothing but a comparison shows (sim_options.h): the ids went back and were handed out
// again before anybody looked, or an index from another time was taken for what it said of itself.
bool SimHost::verify_finds_something() const {
    const SimIndex* const index = world_.cluster.index();
    if (world_.outbox == nullptr || index == nullptr) return false;
    const bool may_differ = index->history_restores != world_.history.restores() || index->is_believed;
    return may_differ && checks_.is_different_at_rest();
}

// What an operator does then, in short: the index is made anew.
void SimHost::rebuild() {
    ++tally_.regressions;
    world_.trace.say("operator", "has the index made anew");
    world_.cluster.drop_requests();
    world_.cluster.delete_index();
}

void SimHost::notice(const std::string&, const engine::Notice& notice) {
    fuse_.boundary("before", "notice");
    world_.trace.say(fuse_.who(), "says: {}", notice.text);
    if (notice.text.starts_with("quarantined")) ++tally_.quarantined;
    if (notice.text == "has the lease now") ++tally_.takeovers;
    fuse_.boundary("after", "notice");
}

void SimHost::recovered(const std::string&, const engine::ReportRecovery& report) {
    fuse_.boundary("before", "report_recovery");
    for (const engine::RecoveryStep& found : report.steps) {
        world_.trace.say(fuse_.who(), "recovers: {} {}{}", found.row->label, name_of(found.row->decision),
                         found.batch == 0 ? "" : fmt::format(" lex/{}", found.batch));
        if (found.row->decision == engine::Decision::replay) ++tally_.replays;
        const SimIndex* const index = world_.cluster.index();
        if (found.row->decision == engine::Decision::refill) process_->refill_row = found.row->label;
        // Its journal cannot know what other pawls, or one with a journal that is lost, have deleted since.
        const bool may_err = !journal_.durable() || journal_.durable()->pipeline.target.uuid.empty() ||
                             world_.options.has(Fault::second_pawl);
        const bool takes_up =
            found.row->decision == engine::Decision::resume || found.row->decision == engine::Decision::fill;
        if (may_err && takes_up && index != nullptr && index->is_anothers) world_.cluster.believe();
        if (found.row->decision != engine::Decision::begin && found.row->decision != engine::Decision::adopt)
            continue;
        ++tally_.begins_again;
    }
    process_->target.forget_requests();
    fuse_.boundary("after", "report_recovery");
}

void SimHost::finished(const std::string&, const engine::Finish& finish) {
    fuse_.boundary("before", "finish");
    world_.trace.say(fuse_.who(), "comes to rest{}", finish.error ? ": " + to_line(*finish.error) : "");
    process_->finish = finish;
    fuse_.boundary("after", "finish");
}

}  // namespace pawl::simulation
