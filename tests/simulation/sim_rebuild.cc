#include "tests/simulation/sim_rebuild.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"

namespace pawl::simulation {

using ops::RebuildAct;
using ops::RebuildFolderFact;
using ops::RebuildIndexFact;
using ops::RebuildStep;

namespace {

// Its outbox are the kept rows, where there are any.
SimShared behind(const SimShared& live, SimKeptRows* kept, SimCluster& cluster, SimLock& lock) {
    SimHistory& history = kept == nullptr ? live.history : *kept;
    return {live.options, live.clock, live.random, history, kept, cluster, lock, live.weather, live.trace};
}

}  // namespace

SimRebuild::SimRebuild(SimShared live, Watched watched, SimTally& tally)
    : live_(live.cluster),
      live_lock_(live.lock),
      outbox_(live.outbox),
      kept_(watched.kept),
      fresh_(live.cluster.beside()),
      world_(behind(live, watched.kept, fresh_, lock_)),
      versions_(watched.versions),
      tally_(tally),
      reader_(watched.history, live.outbox, watched.versions),
      fuse_(live.trace),
      starts_at_(live.clock.now() + live.random.between(0, live.options.faults_end_ms)),
      rebuilds_left_(1 + live.random.below(2)),
      drops_old_(live.random.percent(50)) {}

SimRebuild::~SimRebuild() = default;

std::optional<TimeMs> SimRebuild::next_due() const {
    if (is_over()) return std::nullopt;
    if (!call_) return starts_at_;
    if (call_->answer) return world_.clock.now();
    if (!call_->feeding) return std::nullopt;
    return call_->feeding->inbox->empty() ? call_->feeding->runner.next_due() : world_.clock.now();
}

bool SimRebuild::run() {
    const auto due = next_due();
    if (!due || *due > world_.clock.now()) return false;
    try {
        if (!call_)
            start_call();
        else if (call_->answer)
            end_act();
        else
            feed_on();
    } catch (const Crash& crash) {
        ++tally_.crashes;
        ++tally_.crashed_at[crash.boundary];
        end_call(
            world_.random.between(0, world_.random.percent(20) ? 3 * world_.options.gc_deletes_ms : 200));
    }
    return true;
}

void SimRebuild::start_call() {
    fuse_.renew(fmt::format("rebuild {}", ++tally_.rebuild_calls));
    if (!server_answers() || live_.index() == nullptr) return end_call(world_.random.between(100, 2'000));
    if (world_.chance_of(Fault::crashes, 40))
        fuse_.set(static_cast<std::uint32_t>(1 + world_.random.below(150)));
    call_ = std::make_shared<Call>();
    call_->live = live_.index()->uuid;
    if (fresh_.index() != nullptr) call_->fresh = fresh_.index()->uuid;
    // index::take_over_rebuild, also of an operator who gives it up.
    if (!PAWL_PLANTED(late_swap_not_shut_out)) fresh_.permit_swap(call_->fresh, 0);
    RebuildStep step = ops::next_step(index_fact(), folder_fact());
    if (has_outbox()) step = ops::with_kept_rows(step, kept_->exists());
    world_.trace.say(fuse_.who(), "begins with {}", name_of(step));
    ++tally_.rebuilds_by_step[std::string(name_of(step))];
    call_->acts = ops::acts_of(step, has_outbox() ? ops::HasOutbox::yes : ops::HasOutbox::no);
    // Of which nobody here knows whose it is: the operator gives it up. With an outbox any one now and then.
    if (step == RebuildStep::refuse || operator_gives_up(step))
        call_->acts = {RebuildAct::delete_half_filled, RebuildAct::clear_folder};
    next_act();
}

bool SimRebuild::operator_gives_up(RebuildStep step) {
    if (!has_outbox() || step == RebuildStep::conclude) return false;
    return std::exchange(must_give_up_, false) || world_.chance_of(Fault::crashes, 5);
}

void SimRebuild::end_call(TimeMs pause) {
    call_.reset();
    starts_at_ = world_.clock.now() + pause;
    if (world_.chance_of(Fault::crashes, 10)) ++config_;
    if (world_.chance_of(Fault::crashes, 5)) folder_.reset();  // the next call is made on another machine
}

void SimRebuild::next_act() {
    if (call_->at == call_->acts.size()) return finish();
    const RebuildAct act = call_->acts[call_->at];
    world_.trace.say(fuse_.who(), "{}", name_of(act));
    if (world_.chance_of(Fault::crashes, 10))
        fuse_.set(static_cast<std::uint32_t>(1 + world_.random.below(3)));
    fuse_.boundary("before", name_of(act));
    begin_act(act);
}

// A signal has the act at hand ended, and none of the later ones begun.
void SimRebuild::end_act() {
    const bool is_done = *std::exchange(call_->answer, std::nullopt);
    if (!is_done || call_->stop_asked) return end_call(world_.random.between(0, 2'000));
    if (!call_->asks.empty()) return begin_ask();
    if (call_->connection) call_->connection->close();
    call_->connection.reset();
    const RebuildAct act = call_->acts[call_->at++];
    if (act == RebuildAct::fill) call_->fresh = fresh_.index() == nullptr ? "" : fresh_.index()->uuid;
    if (act == RebuildAct::fill && has_outbox()) kept_->take_rows_from_now_on();
    if (act == RebuildAct::finish_loading || act == RebuildAct::compare)
        call_->must_hold = reader_.must_hold(*live_.index());
    // The fuse that was lit before an act has mostly burnt down in the middle of it.
    if (world_.chance_of(Fault::crashes, 3)) fuse_.set(1);
    fuse_.boundary("after", name_of(act));
    next_act();
}

void SimRebuild::finish() {
    if (call_->acts.back() == RebuildAct::forget) {
        reader_.has_all(live_.index());
        ++tally_.rebuilds_done;
        --rebuilds_left_;
        world_.trace.say(fuse_.who(), "is done");
    }
    end_call(world_.random.between(0, 5'000));
}

void SimRebuild::after_step() {
    if (live_.is_given_up())
        reader_.expects_nothing();
    else
        reader_.look_at(live_.index());
    if (const SimIndex* const fresh = fresh_.index()) {
        made_for_.emplace(fresh->uuid, config_);
        versions_.look_at(*fresh);
    }
    if (folder_) folder_->checks->after_step();
}

void SimRebuild::strike() {
    SimRandom& random = world_.random;
    if (random.percent(40)) {
        const std::size_t forgotten = fresh_.forget_last_writes(random, world_.clock.now());
        if (forgotten > 0) world_.trace.say("index", "a node dies: {} writes are forgotten", forgotten);
        tally_.writes_forgotten += forgotten;
    }
    if (!call_) return;
    if (random.percent(10)) {
        call_->stop_asked = true;
        if (call_->feeding) call_->feeding->inbox->push_back({0, engine::StopAsked{}});
    }
    if (world_.chance_of(Fault::crashes, 40)) fuse_.set(static_cast<std::uint32_t>(1 + random.below(20)));
}

void SimRebuild::calm_down() {
    fuse_.set(0);
    starts_at_ = std::min(starts_at_, world_.clock.now());
}

// False: it is down, or what it says gets lost.
bool SimRebuild::server_answers() {
    const TimeMs now = world_.clock.now();
    return now >= world_.weather.index_down_until && now >= world_.weather.forbidden_until &&
           !world_.chance_of(Fault::lost_answers, 10);
}

RebuildIndexFact SimRebuild::index_fact() const {
    if (fresh_.index() == nullptr) return RebuildIndexFact::none;
    return fresh_.index()->uuid == live_.index()->uuid ? RebuildIndexFact::swapped
                                                       : RebuildIndexFact::filling;
}

RebuildFolderFact SimRebuild::folder_fact() const {
    if (!folder_) return RebuildFolderFact::none;
    return folder_->config == config_ ? RebuildFolderFact::same : RebuildFolderFact::other;
}

void SimRebuild::notice(const std::string&, const engine::Notice& notice) {
    world_.trace.say(fuse_.who(), "says: {}", notice.text);
}

void SimRebuild::recovered(const std::string&, const engine::ReportRecovery& report) {
    for (const engine::RecoveryStep& found : report.steps)
        world_.trace.say(fuse_.who(), "recovers: {} {}{}", found.row->label, name_of(found.row->decision),
                         found.batch == 0 ? "" : fmt::format(" lex/{}", found.batch));
    call_->feeding->target.forget_requests();
}

void SimRebuild::finished(const std::string&, const engine::Finish& finish) {
    call_->feeding->finish = finish;
}

}  // namespace pawl::simulation
