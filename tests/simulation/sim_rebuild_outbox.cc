// What a simulated rebuild does in MariaDB, as src/ops/rebuild_keeping.cc and rebuild_outbox.cc do it. What
// is next after the swap is ops/rebuild_plan.h's.
#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "tests/simulation/sim_rebuild.h"

namespace pawl::simulation {

using ops::KeptAct;

namespace {

constexpr TimeMs lock_wait_ms = 10'000;  // for the table's lock
constexpr TimeMs lock_look_ms = 7;
constexpr TimeMs take_up_look_pause_ms = 500;
constexpr int looks_max = 200;
constexpr std::size_t rows_at_a_time = 3;

}  // namespace

// The act at hand is done when these are.
void SimRebuild::take(std::vector<Ask> asks) {
    if (!call_->connection) call_->connection = std::make_shared<SimConnection>(world_);
    std::ranges::move(asks, std::back_inserter(call_->asks));
    begin_ask();
}

void SimRebuild::begin_ask() {
    const Ask next = std::move(call_->asks.front());
    call_->asks.pop_front();
    if (world_.chance_of(Fault::crashes, 3))
        fuse_.set(static_cast<std::uint32_t>(1 + world_.random.below(2)));
    fuse_.boundary("before", next.name);
    world_.trace.say(fuse_.who(), "asks: {}", next.name);
    next.begin();
}

// One statement, or transaction. It may take effect although nobody hears of it, also after the death of who
// asked.
void SimRebuild::ask_source(std::function<Sql()> effect) {
    const bool is_lost = world_.chance_of(Fault::source_breaks, 10);
    if (is_lost && world_.random.percent(50)) effect = [] { return Sql::fails; };
    world_.clock.after(world_.random.between(0, latency_max_ms),
                       [this, is_lost, effect = std::move(effect), connection = call_->connection,
                        asker = std::weak_ptr(call_)] {
                           carry_out(effect, is_lost, world_.clock.now() + lock_wait_ms, connection, asker);
                       });
    fuse_.boundary("while", name_of(call_->acts[call_->at]));
}

void SimRebuild::carry_out(std::function<Sql()> effect, bool is_lost, TimeMs deadline,
                           const std::shared_ptr<SimConnection>& connection,
                           const std::weak_ptr<Call>& asker) {
    const TimeMs now = world_.clock.now();
    const bool is_up = now >= world_.weather.source_down_until && connection->is_open();
    const Sql outcome = is_up ? effect() : Sql::fails;
    if (outcome == Sql::waits && now < deadline) {
        connection->keep_alive();
        world_.clock.after(lock_look_ms,
                           [this, effect = std::move(effect), is_lost, deadline, connection, asker] {
                               carry_out(effect, is_lost, deadline, connection, asker);
                           });
        return;
    }
    if (const auto call = asker.lock()) call->answer = outcome == Sql::done && !is_lost;
}

// Transactions that use the table end before.
SimRebuild::Sql SimRebuild::drop_kept() {
    if (kept_->is_in_use()) return Sql::waits;
    if (kept_->exists()) world_.trace.say("source", "drops the kept rows");
    kept_->drop();
    return Sql::done;
}

void SimRebuild::keep_rows() {
    const auto lease = [this] {
        ask_source([this, connection = call_->connection] {
            return connection->take_lease(lock_) ? Sql::done : Sql::fails;
        });
    };
    const auto make = [this] {
        ask_source([this] {
            if (kept_->exists()) return Sql::fails;
            kept_->make();
            return Sql::done;
        });
    };
    const auto look = [this, make] {
        if (fresh_.index() == nullptr) {
            call_->asks.push_back({"drop", [this] { ask_source([this] { return drop_kept(); }); }});
            call_->asks.push_back({"make", make});
            if (PAWL_PLANTED(kept_ids_begin_low)) return ask([] { return true; });
            call_->asks.push_back({"take_id", [this] { take_id(); }});
            call_->asks.push_back({"raise", [this] { raise_kept_ids(); }});
        }
        ask([] { return true; });
    };
    take({{"lease", lease}, {"look", look}});
}

void SimRebuild::take_id() {
    ask_source([this, call = std::weak_ptr(call_)] {
        const Revision id = outbox_->take_id();
        if (const auto alive = call.lock()) alive->found.taken_id = id;
        return Sql::done;
    });
}

void SimRebuild::raise_kept_ids() {
    ask_source([this, least = call_->found.taken_id] {
        if (!kept_->exists()) return Sql::fails;
        kept_->raise_to(least);
        return Sql::done;
    });
}

// RebuildOutbox::raise_ids.
void SimRebuild::raise_ids() {
    const auto look = [this] {
        if (is_as_it_was() && live_.index()->remembered)
            call_->found.ids = live_.index()->remembered->revision;
        ask([is_right = is_as_it_was()] { return is_right; });
    };
    const auto find = [this] {
        call_->found.ids = std::max(call_->found.ids, kept_->end_of_history());
        ask_source([] { return Sql::done; });
    };
    const auto raise = [this] {
        if (call_->found.taken_id >= call_->found.ids) {
            call_->answer = true;
            return;
        }
        ++tally_.ids_raised;
        ask_source([this, least = call_->found.ids] {
            outbox_->raise_to(least);
            return Sql::done;
        });
    };
    take({{"look", look}, {"find", find}, {"take_id", [this] { take_id(); }}, {"raise", raise}});
}

void SimRebuild::tell_replaced() {
    const auto look = [this] {
        if (is_as_it_was()) call_->found.remembered = fresh_.index()->remembered;
        if (is_as_it_was() && !call_->found.remembered) throw Violation{"a filled index remembers nothing"};
        ask([is_right = is_as_it_was()] { return is_right; });
    };
    const auto tell = [this] {
        engine::Remembered remembered = *call_->found.remembered;
        remembered.replaces = call_->live;
        ask([this, fresh = call_->fresh, remembered] { return fresh_.remember(fresh, remembered); });
    };
    take({{"look", look}, {"tell", tell}});
}

// RebuildKeeping::end.
void SimRebuild::give_rows_back() {
    call_->found = {};
    take({{"look", [this] { look_after_swap(); }}});
}

void SimRebuild::look_after_swap() {
    Found& found = call_->found;
    const bool is_swapped = index_fact() == ops::RebuildIndexFact::swapped;
    if (is_swapped) found.remembered = fresh_.index()->remembered;
    found.facts = {.is_taken_up = found.remembered && found.remembered->replaces.empty(),
                   .nobody_feeds = false};
    const auto lease = [this] {
        ask_source([this, connection = call_->connection, call = std::weak_ptr(call_)] {
            const bool is_won = connection->take_lease(live_lock_);
            if (const auto alive = call.lock()) alive->found.facts.nobody_feeds = is_won;
            return Sql::done;
        });
    };
    if (!found.facts.is_taken_up) call_->asks.push_back({"lease", lease});
    call_->asks.push_back({"let_go", [this] { let_go(); }});
    ask([is_swapped] { return is_swapped; });
}

void SimRebuild::let_go() {
    Found& found = call_->found;
    found.facts.for_long = found.over.for_long(found.facts.are_over(), world_.clock.now());
    const auto acts = ops::acts_after_swap(found.facts);
    for (const KeptAct act : acts)
        call_->asks.push_back({name_of(act), [this, act] { begin_kept_act(act); }});
    call_->answer = true;
    if (!acts.empty() && acts.back() == KeptAct::drop) return;
    if (++found.looks == looks_max) {
        call_->answer = false;
        return;
    }
    call_->asks.push_back({"wait", [this] {
                               world_.clock.after(take_up_look_pause_ms, [call = std::weak_ptr(call_)] {
                                   if (const auto alive = call.lock()) alive->answer = true;
                               });
                           }});
    call_->asks.push_back({"look", [this] { look_after_swap(); }});
}

void SimRebuild::begin_kept_act(KeptAct act) {
    switch (act) {
        case KeptAct::hand_over:
            call_->found.ids = kept_->rows_there().empty() ? 0 : kept_->rows_there().back();
            return hand_over();
        case KeptAct::tell_that_nothing_lacks:
            return tell_that_nothing_lacks();
        case KeptAct::drop:
            return ask_source([this, fresh = call_->fresh] {
                const Sql outcome = drop_kept();
                if (outcome == Sql::done) live_.is_fed_from_outbox(fresh);
                return outcome;
            });
    }
}

// Some rows, then again: until there are none of those that were there at first.
void SimRebuild::hand_over() {
    const auto commit = [this] {
        ask_source([connection = call_->connection] {
            return connection->commit_hand_over() ? Sql::done : Sql::fails;
        });
    };
    ask_source([this, commit, connection = call_->connection, call = std::weak_ptr(call_)] {
        const auto alive = call.lock();
        if (!alive || !kept_->exists()) return Sql::done;
        if (!connection->begin_hand_over(*kept_, *outbox_, alive->found.ids, rows_at_a_time))
            return Sql::done;
        ++tally_.hand_overs;
        alive->asks.push_front({"hand_over", [this] { hand_over(); }});
        alive->asks.push_front({"commit", commit});
        return Sql::done;
    });
}

void SimRebuild::tell_that_nothing_lacks() {
    const auto tell = [this] {
        engine::Remembered remembered = *call_->found.remembered;
        remembered.revision = call_->found.taken_id;
        remembered.owed = {};
        remembered.replaces.clear();
        ask([this, fresh = call_->fresh, remembered] { return fresh_.remember(fresh, remembered); });
    };
    if (call_->found.remembered) {
        call_->asks.push_front({"tell", tell});
        call_->asks.push_front({"take_id", [this] { take_id(); }});
    }
    call_->answer = true;
}

// ops::abort_rebuild.
void SimRebuild::give_up() {
    const auto remove = [this] {
        ask([this, live = call_->live, fresh = call_->fresh] { return delete_beside(live, fresh); });
    };
    take({{"delete", remove}, {"drop", [this] { ask_source([this] { return drop_kept(); }); }}});
}

// Rows for what differs come into the kept ones, as those of a writer.
void SimRebuild::compare_with_table() {
    const std::vector<std::string> entities = differing_entities();
    call_->answer.reset();
    if (entities.empty()) {
        fresh_.is_compared(call_->fresh);
        call_->answer = true;
        return;
    }
    ++tally_.comparisons_that_differ;
    world_.trace.say(fuse_.who(), "sends {} entities again", entities.size());
    const auto write = [this, entities] {
        ask_source([this, entities] {
            engine::CleanUpRequest request;
            request.entities = entities;
            kept_->end_clean_up(kept_->begin_clean_up(request));
            return Sql::done;
        });
    };
    take({{"write_rows", write}, {"feed", [this] { feed(); }}});
}

// Entities that no row names, and that are not in the index as the table has them.
std::vector<std::string> SimRebuild::differing_entities() const {
    std::vector<std::string> entities;
    const SimIndex* const index = fresh_.index();
    for (std::uint32_t entity = 0; index != nullptr && entity < kept_->entities(); ++entity) {
        const std::string name(kept_->name_of(entity));
        if (!kept_->is_settled(entity) || folder_->journal.quarantined(name) != nullptr) continue;
        if (!SimChecks::shows(index->stored[entity], kept_->present(entity))) entities.push_back(name);
    }
    return entities;
}

}  // namespace pawl::simulation
