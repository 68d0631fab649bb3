// What each act of a simulated rebuild does.
#include <utility>

#include "base/assert.h"
#include "tests/simulation/sim_rebuild.h"

namespace pawl::simulation {

using ops::RebuildAct;

namespace {

constexpr TimeMs latency_of_slow_max_ms = 3'000;

}  // namespace

void SimRebuild::begin_act(RebuildAct act) {
    Call& call = *call_;
    switch (act) {
        case RebuildAct::delete_half_filled:
            if (has_outbox() && call.acts.back() != RebuildAct::forget) return give_up();
            return ask([this, live = call.live, fresh = call.fresh] { return delete_beside(live, fresh); });
        case RebuildAct::clear_folder:
            folder_.reset();
            call.answer = true;
            return;
        case RebuildAct::keep_rows:
            return keep_rows();
        case RebuildAct::raise_ids:
            return raise_ids();
        case RebuildAct::tell_replaced:
            return tell_replaced();
        case RebuildAct::fill:
            make_folder();
            return feed();
        case RebuildAct::finish_loading:
            return ask([this, fresh = call.fresh] { return fresh_.finish_loading(fresh), true; });
        case RebuildAct::catch_up_before_swap:
            return feed();
        case RebuildAct::catch_up_after_swap:
            if (has_outbox()) return give_rows_back();
            make_folder();
            return feed();
        case RebuildAct::compare:
            return compare();
        case RebuildAct::swap:
            return swap();
        case RebuildAct::drop_old:
            if (drops_old_)
                return ask([this, live = call.fresh, old = call.live] { return delete_beside(live, old); });
            call.answer = true;
            return;
        case RebuildAct::forget:
            return ask([this, fresh = call.fresh] { return fresh_.take_alias_from(fresh), true; });
    }
}

// Of the server. It may take effect although nobody hears of it, also after the death of who asked.
void SimRebuild::ask(std::function<bool()> effect) {
    SimRandom& random = world_.random;
    const bool is_lost = world_.chance_of(Fault::lost_answers, 15);
    const bool arrives = !is_lost || random.percent(50);
    const TimeMs latency = random.between(0, is_lost ? latency_of_slow_max_ms : latency_max_ms);
    world_.clock.after(latency, [this, is_lost, arrives, effect = std::move(effect),
                                 asker = std::weak_ptr(call_)] {
        const TimeMs now = world_.clock.now();
        const bool is_up = now >= world_.weather.index_down_until && now >= world_.weather.forbidden_until;
        const bool is_done = arrives && is_up && effect();
        if (const auto call = asker.lock()) call->answer = is_done && !is_lost;
    });
    fuse_.boundary("while", name_of(call_->acts[call_->at]));
}

// index::delete_beside.
bool SimRebuild::delete_beside(const std::string& live, const std::string& uuid) {
    if (live_.index() == nullptr || live_.index()->uuid != live || live == uuid) return false;
    fresh_.delete_index(uuid);
    return true;
}

bool SimRebuild::is_as_it_was() const {
    return fresh_.index() != nullptr && fresh_.index()->uuid == call_->fresh && live_.index() != nullptr &&
           live_.index()->uuid == call_->live;
}

// Index::swap_alias: the permit, then the swap.
void SimRebuild::swap() {
    if (!is_as_it_was()) {
        call_->answer = false;
        return;
    }
    const std::uint64_t permit = tally_.rebuild_calls;
    call_->asks.push_back({"move_alias", [this, permit] { move_alias(permit); }});
    ask([this, to = call_->fresh, permit] { return fresh_.permit_swap(to, permit); });
}

void SimRebuild::move_alias(std::uint64_t permit) {
    ask([this, from = call_->live, to = call_->fresh, permit, must_hold = call_->must_hold,
         config = config_] {
        const std::vector<Stored> before = reader_.must_hold(*live_.index());
        if (!live_.swap(from, to, permit)) return false;
        world_.trace.say("index", "the alias leads to {} now", to);
        ++tally_.swaps;
        if (made_for_.at(to) != config) throw Violation{"the new index was made for another config"};
        reader_.swaps_to(*live_.index(), must_hold.value_or(before));
        // A daemon's request that was on its way arrives in the new index (sim_options.h). With an outbox it
        // is known as a stray one.
        if (!has_outbox()) versions_.forgive();
        return true;
    });
}

void SimRebuild::make_folder() {
    if (folder_) return;
    folder_ = std::make_unique<Folder>(config_);
    SimJournal& journal = folder_->journal;
    folder_->checks = std::make_unique<SimChecks>(
        world_.options, SimChecks::Watched{world_.history, fresh_, versions_, world_.outbox, kept_}, journal);
    journal.before_commit = [this](std::span<const journal::Change> changes) {
        fuse_.boundary("before", "write_journal");
        const bool fails = world_.chance_of(Fault::journal_fails, 1);
        for (const journal::Change& change : changes)
            world_.trace.say(fuse_.who(), "journals {}", in_words(change));
        return !fails                      ? SimJournal::Disk::takes
               : world_.random.percent(70) ? SimJournal::Disk::refuses
                                           : SimJournal::Disk::takes_but_fails;
    };
    journal.after_commit = [this] { fuse_.boundary("after", "write_journal"); };
}

// Until it has caught up; the act's answer comes with the end.
void SimRebuild::feed(const engine::IntervalSet& repairs) {
    PAWL_ASSERT(folder_);
    call_->feeding =
        std::make_unique<SimProcess>(SimParts{world_, *folder_->checks, fuse_}, folder_->journal,
                                     static_cast<engine::Observer&>(*this), engine::Until::caught_up);
    call_->feeding->rows_at_start = folder_->checks->latest_rows();
    if (!repairs.empty()) call_->feeding->inbox->push_back({0, engine::RepairAsked{repairs}});
    if (call_->stop_asked) call_->feeding->inbox->push_back({0, engine::StopAsked{}});
}

void SimRebuild::feed_on() {
    SimProcess& process = *call_->feeding;
    const auto handled = process.runner.handle(std::exchange(*process.inbox, {}));
    if (!handled) {
        ++tally_.disk_errors;
        return end_call(world_.random.between(0, 2'000));
    }
    if (process.runner.finished()) end_feed();
}

void SimRebuild::end_feed() {
    const std::unique_ptr<SimProcess> process = std::move(call_->feeding);
    PAWL_ASSERT(process->finish);
    call_->answer = !process->finish->error;
    if (process->finish->error) {
        world_.trace.say(fuse_.who(), "cannot go on: {}", to_line(*process->finish->error));
        // Such as a half-filled index that remembers nothing, and has documents of a request to the one
        // before.
        must_give_up_ = has_outbox() && process->finish->error->kind == ErrorKind::decision;
        return;
    }
    if (call_->stop_asked) return;
    folder_->checks->accounted_for(process->rows_at_start);
    if (folder_->journal.open_batches() > 0) throw Violation{"a rebuild caught up with open batches"};
    if (call_->acts[call_->at] == RebuildAct::compare) compare();  // anew, what was sent again
}

void SimRebuild::compare() {
    if (has_outbox()) return compare_with_table();
    const engine::IntervalSet revisions = differing();
    call_->answer.reset();
    if (revisions.empty()) {
        call_->answer = true;
        return;
    }
    ++tally_.comparisons_that_differ;
    world_.trace.say(fuse_.who(), "sends {} again", in_words(revisions));
    feed(revisions);
}

// The latest rows that the journal says are in the index, and that are not. All that was read is settled,
// gaps or not, as src/ops/verify_basis.cc has it.
engine::IntervalSet SimRebuild::differing() const {
    engine::IntervalSet revisions;
    const SimIndex* const index = fresh_.index();
    const auto& durable = folder_->journal.durable();
    if (index == nullptr || !durable) return revisions;
    const Revision settled =
        folder_->journal.open_batches() > 0 ? durable->pipeline.watermark : durable->pipeline.high;
    for (std::uint32_t entity = 0; entity < world_.history.entities(); ++entity) {
        const HistoryRow* const row = world_.history.latest(entity);
        if (row == nullptr || row->revision > settled) continue;
        if (folder_->journal.quarantined(world_.history.name_of(entity)) != nullptr) continue;
        const Stored& stored = index->stored[entity];
        const bool is_right = row->kind == RowKind::removed
                                  ? !stored.is_document
                                  : stored.is_document && stored.version == row->revision;
        if (!is_right) revisions.insert(row->revision);
    }
    return revisions;
}

}  // namespace pawl::simulation
