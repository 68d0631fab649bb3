#include "tests/simulation/sim_ports.h"

#include <algorithm>
#include <utility>

namespace pawl::simulation {
namespace {

using engine::ItemResult;
using engine::ItemStatus;

constexpr TimeMs latency_max_ms = 40;

Error unavailable(const char* message) {
    return {ErrorKind::unavailable, message, "wait"};
}

void post_after(const SimShared& world, TimeMs delay, const std::weak_ptr<SimInbox>& inbox,
                engine::Event event) {
    world.clock.after(delay, [inbox, event = std::move(event)]() mutable {
        if (const auto alive = inbox.lock()) alive->push_back({0, std::move(event)});
    });
}

bool holds(const SimHistory& history, std::span<const SimAction> actions, RowKind kind) {
    return std::any_of(actions.begin(), actions.end(),
                       [&](const SimAction& action) { return history.row(action.revision).kind == kind; });
}

// Shorter than half of gc_deletes, as design.md demands of every request's timeout.
TimeMs request_timeout(const SimOptions& options) {
    return options.gc_deletes_ms * 2 / 5;
}

std::vector<ItemResult> judge(const SimShared& world, std::span<const SimAction> actions) {
    const bool overloaded = world.chance_of(Fault::overload, 20);
    const ItemResult busy{ItemStatus::retry, "es_rejected_execution_exception", "queue is full", {}};
    std::vector<ItemResult> items;
    for (const SimAction& action : actions) {
        const bool refused = overloaded && world.random.percent(40);
        // A shard that answers too late for its coordinator may have taken the action.
        const bool taken = !refused || world.random.percent(20);
        const ItemResult item = taken ? world.cluster.apply(action, world.clock.now()) : busy;
        items.push_back(refused ? busy : item);
    }
    return items;
}

// What a request does to the index when it has arrived, and what is answered.
engine::Event take_effect(const SimShared& world, engine::RequestId id, std::span<const SimAction> actions) {
    const auto failed = [&](ErrorKind kind, const char* message) {
        return engine::BulkFailed{id, {kind, message, "do something"}};
    };
    const TimeMs now = world.clock.now();
    if (now < world.weather.index_down_until) return failed(ErrorKind::unavailable, "connection refused");
    if (now < world.weather.forbidden_until) return failed(ErrorKind::forbidden, "not yours");
    if (world.chance_of(Fault::overload, 10)) return failed(ErrorKind::overloaded, "too many requests");
    if (world.chance_of(Fault::overload, 5)) return failed(ErrorKind::unavailable, "bad gateway");
    const bool too_many =
        world.chance_of(Fault::too_large, 100) && actions.size() > world.options.index_actions_max;
    if (too_many || holds(world.history, actions, RowKind::oversized))
        return failed(ErrorKind::too_large, "entity too large");
    if (holds(world.history, actions, RowKind::poison))
        return failed(ErrorKind::rejected, "the request makes no sense");
    return engine::BulkAnswered{id, judge(world, actions)};
}

std::string in_words(const engine::Event& event) {
    if (const auto* answered = std::get_if<engine::BulkAnswered>(&event))
        return simulation::in_words(std::span<const ItemResult>(answered->items));
    return std::get<engine::BulkFailed>(event).error.message;
}

}  // namespace

void SimSource::prepare() {
    parts_.fuse.boundary("before", "prepare_source");
    const SimShared& world = parts_.world;
    world.clock.after(world.random.between(0, latency_max_ms), [world, inbox = inbox_] {
        const TimeMs rest = world.random.between(0, latency_max_ms);
        const bool down = world.clock.now() < world.weather.source_down_until;
        if (down || world.chance_of(Fault::source_breaks, 15))
            post_after(world, rest, inbox, engine::SourceFailed{unavailable("no MariaDB")});
        else
            post_after(world, rest, inbox, engine::SourceReady{{world.history.end_of_history()}});
    });
    parts_.fuse.boundary("after", "prepare_source");
}

void SimSource::read(engine::ReadRequest request) {
    parts_.fuse.boundary("before", "read_page");
    const SimShared& world = parts_.world;
    world.trace.say(parts_.fuse.who(), "reads {} {}", simulation::in_words(request.revisions),
                    request.latest ? "as latest rows" : "as they are");
    const TimeMs begins = std::max(busy_until_, world.clock.now()) + world.random.between(0, latency_max_ms);
    busy_until_ = begins + world.random.between(0, latency_max_ms);
    const auto fail_later = [world, inbox = inbox_, id = request.id](TimeMs rest) {
        post_after(world, rest, inbox, engine::ReadFailed{id, unavailable("MariaDB has gone away")});
    };
    world.clock.after(begins - world.clock.now(), [world, fail_later, inbox = inbox_,
                                                   rest = busy_until_ - begins,
                                                   request = std::move(request)] {
        if (inbox.expired()) return;
        if (world.clock.now() < world.weather.source_down_until || world.chance_of(Fault::source_breaks, 10))
            return fail_later(rest);
        const bool shorten = world.chance_of(Fault::short_pages, 50);
        auto page = world.history.read(request, world.clock.now(), shorten, world.random);
        world.clock.after(rest, [world, fail_later, inbox, id = request.id, page = std::move(page),
                                 restarts = world.weather.source_restarts]() mutable {
            if (restarts != world.weather.source_restarts) return fail_later(0);
            world.trace.say("source", "answers {} of {}, {}", simulation::in_words(page->rows()),
                            simulation::in_words(page->seen),
                            page->complete ? "complete" : fmt::format("up to {}", page->covered_through));
            if (const auto alive = inbox.lock()) alive->push_back({0, engine::PageRead{id, std::move(page)}});
        });
    });
    parts_.fuse.boundary("after", "read_page");
}

void SimSource::prove() {
    parts_.fuse.boundary("before", "prove_gaps");
    const SimShared& world = parts_.world;
    const TimeMs asked = std::max(busy_until_, world.clock.now()) + world.random.between(0, latency_max_ms);
    const TimeMs rest = world.random.between(0, latency_max_ms);
    busy_until_ = asked + rest;
    world.clock.after(asked - world.clock.now(), [world, inbox = inbox_, rest] {
        if (inbox.expired()) return;
        if (world.clock.now() < world.weather.source_down_until || world.chance_of(Fault::source_breaks, 10))
            return post_after(world, rest, inbox, engine::ProofFailed{unavailable("no MariaDB")});
        const engine::Proof proof =
            world.options.has(Fault::no_proofs)
                ? engine::Proof{engine::Proof::Outcome::not_allowed, 0, "no LOCK TABLES"}
                : world.history.prove();
        if (proof.outcome == engine::Proof::Outcome::proven)
            world.trace.say("source", "proves that what is missing up to {} is dead", proof.through);
        else
            world.trace.say("source", "proves nothing: {}", proof.reason);
        post_after(world, rest, inbox, engine::ProofAnswered{proof});
    });
    parts_.fuse.boundary("after", "prove_gaps");
}

void SimTarget::prepare() {
    parts_.fuse.boundary("before", "prepare_target");
    const SimShared& world = parts_.world;
    // The request is on its way whether or not the process that sent it lives.
    world.clock.after(world.random.between(0, latency_max_ms), [world, inbox = inbox_] {
        const TimeMs now = world.clock.now();
        const TimeMs rest = world.random.between(0, latency_max_ms);
        if (now < world.weather.index_down_until)
            return post_after(world, rest, inbox, engine::TargetFailed{unavailable("no Elasticsearch")});
        if (now < world.weather.forbidden_until)
            return post_after(world, rest, inbox,
                              engine::TargetFailed{{ErrorKind::forbidden, "not yours", "ask"}});
        const engine::TargetFacts facts = world.cluster.prepare();
        if (facts.created) world.trace.say("index", "{} is created", facts.identity.index);
        if (world.chance_of(Fault::lost_answers, 15))
            post_after(world, rest, inbox, engine::TargetFailed{unavailable("the answer got lost")});
        else
            post_after(world, rest, inbox, engine::TargetReady{facts});
    });
    parts_.fuse.boundary("after", "prepare_target");
}

void SimTarget::send(engine::BulkRequest request) {
    parts_.fuse.boundary("before", "send_bulk");
    const SimShared& world = parts_.world;
    world.trace.say(parts_.fuse.who(), "sends request {}: {}", request.id,
                    simulation::in_words(request.actions));
    ++sent_;
    in_flight_->insert(request.id);
    parts_.checks.request_may_go(request, in_flight_->size());
    std::vector<SimAction> actions;
    actions.reserve(request.actions.size());
    for (const engine::Row& row : request.actions)
        actions.push_back({row.revision, SimHistory::entity_of(row.entity), row.action});
    deliver(request.id, std::move(actions));
    parts_.fuse.boundary("after", "send_bulk");
}

// The request arrives once, twice or never, soon or within its timeout, whether or not its process lives by
// then; its answer comes back or does not.
void SimTarget::deliver(engine::RequestId id, std::vector<SimAction> actions) {
    const SimShared& world = parts_.world;
    const TimeMs timeout = request_timeout(world.options);
    const bool slow = !world.weather.calm && world.random.percent(10);
    const TimeMs arrives = world.random.between(1, slow ? timeout : std::min(timeout, latency_max_ms));
    const TimeMs rest = world.random.between(0, slow ? timeout - arrives : latency_max_ms);
    const bool lost = world.chance_of(Fault::lost_answers, 15);
    const auto answer = [world, inbox = inbox_, flying = in_flight_, id](engine::Event event) {
        flying->erase(id);
        const auto alive = inbox.lock();
        if (!alive) return;
        world.trace.say("index", "answers request {}: {}", id, in_words(event));
        alive->push_back({0, std::move(event)});
    };
    // The connection may break before, or after, the index has looked at the request.
    if (lost)
        world.clock.after(world.random.between(0, timeout),
                          [answer, id] { answer(engine::BulkFailed{id, unavailable("reset by peer")}); });
    if (lost && world.random.percent(30)) return;  // and it never arrives
    if (world.chance_of(Fault::duplicates, 15))
        world.clock.after(world.random.between(arrives, timeout),
                          [world, id, actions, epoch = world.cluster.epoch()] {
                              if (world.cluster.epoch() != epoch) return;
                              world.trace.say("index", "gets request {} once more", id);
                              take_effect(world, id, actions);
                          });
    world.clock.after(arrives, [world, answer, flying = in_flight_, lost, rest, id,
                                epoch = world.cluster.epoch(), actions = std::move(actions)] {
        if (world.cluster.epoch() != epoch) {
            if (!lost) flying->erase(id);
            return;
        }
        engine::Event event = take_effect(world, id, actions);
        world.trace.say("index", "gets request {}: {}{}", id, in_words(event),
                        lost ? ", and its answer gets lost" : "");
        if (lost) return;
        world.clock.after(rest, [answer, event = std::move(event)]() mutable { answer(std::move(event)); });
    });
}

}  // namespace pawl::simulation
