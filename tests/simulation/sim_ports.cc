#include "tests/simulation/sim_ports.h"

#include <algorithm>
#include <utility>

#include <fmt/ranges.h>

#include "base/planted.h"

namespace pawl::simulation {
namespace {

using engine::ItemResult;
using engine::ItemStatus;

constexpr TimeMs look_pause_ms = 20;  // whether a process is awake: it may be woken early

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
    return std::any_of(actions.begin(), actions.end(), [&](const SimAction& action) {
        return history.kind_of(action.revision, action.content) == kind;
    });
}

// Shorter than half of gc_deletes, as every request's timeout is (docs/recovery.md).
TimeMs request_timeout(const SimOptions& options) {
    return options.gc_deletes_ms * 2 / 5;
}

// Whether nothing shows that the action has come to an index that it was not meant for, or that only as a
// foreign version (sim_options.h).
bool nobody_owes(const SimShared& world, const SimAction& action) {
    if (world.outbox != nullptr && world.cluster.index()->is_loading) return true;
    if (world.outbox != nullptr)  // no row of the entity is left that this index has yet to take
        return world.outbox->highest_row(action.entity) <=
               world.cluster.index()->stored.at(action.entity).version;
    return world.cluster.nobody_remembers(action);
}

// It may win against a document whose version a node has forgotten (sim_options.h).
bool beats_forgotten(const SimShared& world, const SimAction& action) {
    const SimIndex* const index = world.cluster.index();
    return index != nullptr && index->stored.at(action.entity).is_forgotten;
}

// Another index has taken it than the one that it was meant for.
void disown(engine::Event& event) {
    auto* const answered = std::get_if<engine::BulkAnswered>(&event);
    if (answered == nullptr) return;
    for (ItemResult& item : answered->items)
        if (item.status != ItemStatus::retry)
            item = {ItemStatus::target_missing, "another_index", "the alias has moved", {}};
}

// Those with versions that are nobody's at this moment: what was right when it was said needs no answer when
// the history goes back later.
void note_conflicts(std::span<const SimAction> actions, const engine::Event& event, const SimHistory& history,
                    std::map<std::uint32_t, Revision>& conflicts) {
    const auto* const answered = std::get_if<engine::BulkAnswered>(&event);
    if (answered == nullptr) return;
    for (std::size_t i = 0; i < actions.size(); ++i)
        if (const auto& version = answered->items[i].stored_version;
            version && history.is_foreign(actions[i].entity, *version))
            conflicts.insert_or_assign(actions[i].entity, *version);
}

// The next statement of a transaction waits for a process whose machine sleeps. Not simulated but where a
// rebuild may be through by then.
void when_awake(const SimShared& world, const SimFuse& fuse, std::function<void()> next) {
    const TimeMs now = world.clock.now();
    if (!world.options.rebuild || fuse.sleeps_until() <= now) return next();
    world.clock.after(std::min(fuse.sleeps_until() - now, look_pause_ms),
                      [world, &fuse, next = std::move(next)] { when_awake(world, fuse, next); });
}

// One transaction of a clean-up.
struct Cleaning {
    SimShared world;
    const SimFuse& fuse;
    std::weak_ptr<SimInbox> inbox;
    SimLeaseTerm lease_term;
    std::uint64_t term;  // in which it was asked for
    TimeMs takes;
    engine::CleanUpRequest request;

    void fail(TimeMs later) const {
        post_after(world, later, inbox,
                   engine::CleanUpFailed{request.id, unavailable("MariaDB has gone away")});
    }
    void begin() const;
    void commit(const SimOutbox::CleanUp& clean_up, bool has_slept) const;
};

// One that has begun may end when its process is dead: the COMMIT was on its way. In a rebuild's world none
// begins then, since its statements come one by one.
void Cleaning::begin() const {
    if (inbox.expired() && (world.random.percent(50) || world.options.rebuild)) return;
    if (world.clock.now() < world.weather.source_down_until || world.chance_of(Fault::source_breaks, 10))
        return fail(takes);
    if (world.outbox->has_gone_back(request)) return fail(takes);
    world.clock.after(takes, [cleaning = *this, clean_up = world.outbox->begin_clean_up(request)] {
        const bool has_slept = cleaning.fuse.sleeps_until() > cleaning.world.clock.now();
        when_awake(cleaning.world, cleaning.fuse,
                   [cleaning, clean_up, has_slept] { cleaning.commit(clean_up, has_slept); });
    });
}

void Cleaning::commit(const SimOutbox::CleanUp& clean_up, bool has_slept) const {
    // Where all pawls feed one index, it does no harm that it is committed: left to the other simulations.
    const bool lease_is_over = world.options.rebuild && !lease_term->lasts(term, world.clock.now()) &&
                               !PAWL_PLANTED(clean_up_without_lease);
    if ((has_slept && inbox.expired()) || lease_is_over) {
        world.outbox->roll_back(clean_up);
        return fail(0);
    }
    const auto answer = world.outbox->end_clean_up(clean_up, inbox.expired());
    if (!answer) return fail(0);
    const bool lost = world.chance_of(Fault::source_breaks, 10);
    world.trace.say("source", "has deleted {} and written {}, {} of them late{}",
                    fmt::to_string(fmt::join(clean_up.deleted, " ")),
                    fmt::to_string(fmt::join(clean_up.written, " ")), answer->late,
                    lost ? "; the answer gets lost" : "");
    if (lost) return fail(0);
    post_after(world, 0, inbox, *answer);
}

std::string answer_in_words(const engine::Event& event) {
    if (const auto* answered = std::get_if<engine::BulkAnswered>(&event))
        return in_words(std::span<const ItemResult>(answered->items));
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
            post_after(world, rest, inbox, engine::SourceReady{{world.history.end_of_history(), sim_shape}});
    });
    parts_.fuse.boundary("after", "prepare_source");
}

void SimSource::read(engine::ReadRequest request) {
    parts_.fuse.boundary("before", "read_page");
    const SimShared& world = parts_.world;
    world.trace.say(parts_.fuse.who(), "reads {} {}", in_words(request.revisions),
                    request.table_after ? fmt::format("the table after \"{}\"", *request.table_after)
                    : request.latest    ? "as latest rows"
                    : request.fill      ? "as an empty index needs them"
                                        : "as they are");
    const TimeMs begins = std::max(busy_until_, world.clock.now()) + world.random.between(0, latency_max_ms);
    busy_until_ = begins + world.random.between(0, latency_max_ms);
    const auto fail_later = [world, inbox = inbox_, id = request.id](TimeMs rest) {
        post_after(world, rest, inbox, engine::ReadFailed{id, unavailable("MariaDB has gone away")});
    };
    world.clock.after(begins - world.clock.now(), [world, fail_later, inbox = inbox_,
                                                   rest = busy_until_ - begins, scan = scan_,
                                                   request = std::move(request)] {
        if (inbox.expired()) return;
        if (world.clock.now() < world.weather.source_down_until || world.chance_of(Fault::source_breaks, 10))
            return fail_later(rest);
        const bool shorten = world.chance_of(Fault::short_pages, 50);
        if (world.chance_of(Fault::source_breaks, 20)) scan->reset();  // and so it is made anew
        const Revision through = request.table_after ? 0 : request.revisions.highest();
        const bool is_old =
            !*scan || (*scan)->through != through || (*scan)->restores != world.history.restores();
        if (request.fill && is_old) *scan = world.history.scan(through);
        auto page = world.history.read(request, request.fill ? &**scan : nullptr, world.clock.now(), shorten,
                                       world.random);
        world.clock.after(rest, [world, fail_later, inbox, id = request.id, page = std::move(page),
                                 restarts = world.weather.source_restarts]() mutable {
            if (restarts != world.weather.source_restarts) return fail_later(0);
            world.trace.say("source", "answers {} of {}, {}", in_words(page->rows()), in_words(page->seen),
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

// New rows have their ids when the transaction begins; when its answer is lost it may have taken effect.
void SimSource::clean_up(engine::CleanUpRequest request) {
    parts_.fuse.boundary("before", "clean_up");
    const SimShared& world = parts_.world;
    if (world.outbox == nullptr) throw Violation{"a history has no outbox"};
    world.trace.say(parts_.fuse.who(), "cleans up {}, renews {}{}, late ones through {} but {}",
                    in_words(request.done), in_words(request.renew),
                    fmt::to_string(fmt::join(request.entities, " ")), request.late_through,
                    in_words(request.known));
    const TimeMs begins = std::max(busy_until_, world.clock.now()) + world.random.between(0, latency_max_ms);
    const TimeMs rest = world.random.between(0, latency_max_ms);
    busy_until_ = begins + rest;
    ++busy_until_;  // what is read next is read after the commit, not beside it: it is one connection
    // In the middle of it, too: a rebuild may come to its end meanwhile.
    if (world.options.rebuild && world.chance_of(Fault::pauses, 20))
        world.clock.after(begins - world.clock.now(), [world, &fuse = parts_.fuse] {
            // Shorter than the lease is counted on, or longer than it takes to lose it.
            const bool is_short = world.random.percent(50);
            fuse.sleep_until(world.clock.now() + (is_short ? world.random.between(500, 4'000)
                                                           : world.random.between(8'000, 20'000)));
        });
    const Cleaning cleaning{world, parts_.fuse,       inbox_, lease_term_, lease_term_->number(),
                            rest,  std::move(request)};
    world.clock.after(begins - world.clock.now(), [cleaning] {
        when_awake(cleaning.world, cleaning.fuse, [cleaning] { cleaning.begin(); });
    });
    parts_.fuse.boundary("after", "clean_up");
}

void SimSource::look_up(engine::LookUpRequest request) {
    parts_.fuse.boundary("before", "look_up");
    const SimShared& world = parts_.world;
    const TimeMs begins = std::max(busy_until_, world.clock.now()) + world.random.between(0, latency_max_ms);
    const TimeMs rest = world.random.between(0, latency_max_ms);
    busy_until_ = begins + rest;
    world.clock.after(begins - world.clock.now(), [world, inbox = inbox_, rest,
                                                   request = std::move(request)] {
        if (inbox.expired()) return;
        if (world.clock.now() < world.weather.source_down_until || world.chance_of(Fault::source_breaks, 10))
            return post_after(world, rest, inbox,
                              engine::LookUpFailed{request.id, unavailable("MariaDB has gone away")});
        post_after(world, rest, inbox, engine::LookedUp{request.id, world.history.look_up(request)});
    });
    parts_.fuse.boundary("after", "look_up");
}

SimLease::~SimLease() {
    // Mostly the server sees at once that a process is gone, but not when its machine is.
    if (*session_ != 0 && parts_.world.random.percent(80)) parts_.world.lock.close(*session_);
}

void SimLease::ask() {
    parts_.fuse.boundary("before", "ask_lease");
    const SimShared& world = parts_.world;
    if (*session_ == 0) sessions_.insert(*session_ = world.lock.connect());
    const TimeMs asked_at = world.clock.now();
    world.clock.after(world.random.between(0, latency_max_ms), [world, inbox = inbox_, asked_at,
                                                                session = session_, term = term_] {
        if (inbox.expired()) return;
        const TimeMs now = world.clock.now();
        const TimeMs rest = world.random.between(0, latency_max_ms);
        const bool down = now < world.weather.source_down_until;
        const bool breaks = world.chance_of(Fault::source_breaks, 3);
        const auto outcome = down ? std::nullopt : world.lock.ask(*session, now);
        if (!outcome || breaks) {
            if (breaks && world.random.percent(70)) world.lock.close(*session);
            *session = 0;
            term->lost();
            return post_after(world, rest, inbox,
                              engine::LeaseFailed{unavailable("the lease's connection is gone")});
        }
        if (*outcome != engine::Lease::Outcome::held)
            world.trace.say("source", "the lease of session {} is {}", *session,
                            *outcome == engine::Lease::Outcome::won ? "won" : "another one's");
        if (*outcome == engine::Lease::Outcome::won) term->won(asked_at);
        if (*outcome == engine::Lease::Outcome::held) term->held(asked_at);
        if (*outcome == engine::Lease::Outcome::taken) term->lost();
        post_after(world, rest, inbox, engine::LeaseAnswered{{*outcome, asked_at, "another pawl"}});
    });
    parts_.fuse.boundary("after", "ask_lease");
}

void SimTarget::remember(engine::Remembered remembered, const std::string& index_uuid) {
    parts_.fuse.boundary("before", "write_checkpoint");
    const SimShared& world = parts_.world;
    world.trace.say(parts_.fuse.who(), "lets the index remember {}, owed {}", remembered.revision,
                    in_words(remembered.owed));
    world.clock.after(world.random.between(0, latency_max_ms), [world, inbox = inbox_, index_uuid,
                                                                remembered = std::move(remembered)] {
        const TimeMs now = world.clock.now();
        const TimeMs rest = world.random.between(0, latency_max_ms);
        const auto failed = [&](ErrorKind kind, const char* message) {
            post_after(world, rest, inbox, engine::CheckpointFailed{{kind, message, "wait"}});
        };
        if (now < world.weather.index_down_until) return failed(ErrorKind::unavailable, "no Elasticsearch");
        if (now < world.weather.forbidden_until) return failed(ErrorKind::forbidden, "not yours");
        const bool lost = world.chance_of(Fault::lost_answers, 15);
        if (lost && world.random.percent(50)) return failed(ErrorKind::unavailable, "it got lost");
        if (!world.cluster.remember(index_uuid, remembered))
            return failed(ErrorKind::target_missing, "the alias leads to another index");
        if (lost) return failed(ErrorKind::unavailable, "the answer got lost");
        post_after(world, rest, inbox, engine::CheckpointWritten{});
    });
    parts_.fuse.boundary("after", "write_checkpoint");
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
            return post_after(world, rest, inbox, engine::TargetFailed{unavailable("the answer got lost")});
        world.clock.after(rest, [inbox, facts] {
            if (const auto alive = inbox.lock()) alive->push_back({0, engine::TargetReady{facts}});
        });
    });
    parts_.fuse.boundary("after", "prepare_target");
}

void SimTarget::send(engine::BulkRequest request) {
    parts_.fuse.boundary("before", "send_bulk");
    const SimShared& world = parts_.world;
    world.trace.say(parts_.fuse.who(), "sends request {}: {}", request.id, in_words(request.actions));
    if (lease_.is_anothers()) throw Violation{"a request is sent while another pawl has the lease"};
    ++sent_;
    in_flight_->insert(request.id);
    parts_.checks.request_may_go(request, in_flight_->size());
    std::vector<SimAction> actions;
    actions.reserve(request.actions.size());
    for (const engine::Row& row : request.actions)
        actions.push_back({row.revision, SimHistory::entity_of(row.entity), row.action,
                           world.outbox == nullptr ? 0 : content_of(row)});
    const std::uint64_t lease = lease_.was_last_to_win() ? world.lock.times_won() : 0;
    deliver({request.id, request.index, std::move(actions), era_, lease});
    parts_.fuse.boundary("after", "send_bulk");
}

std::vector<ItemResult> SimTarget::judge(const SimShared& world, const Flying& request) {
    const SimIndex* const index = world.cluster.index();
    const bool is_anothers = index != nullptr && index->name() != request.index;
    const bool is_stray = is_anothers || request.era.expired() || request.lease != world.lock.times_won();
    const bool overloaded = world.chance_of(Fault::overload, 20);
    const ItemResult busy{ItemStatus::retry, "es_rejected_execution_exception", "queue is full", {}};
    const ItemResult beaten{ItemStatus::superseded, "version_conflict_engine_exception", "", {}};
    std::vector<ItemResult> items;
    for (const SimAction& action : request.actions) {
        if (is_stray && beats_forgotten(world, action)) {
            items.push_back(is_anothers ? beaten : busy);  // nothing is said of what the index holds
            continue;
        }
        if (is_anothers && nobody_owes(world, action)) {
            items.push_back(beaten);
            continue;
        }
        const bool refused = overloaded && world.random.percent(40);
        // A shard that answers too late for its coordinator may have taken the action.
        const bool taken = !refused || world.random.percent(20);
        const ItemResult item = taken ? world.cluster.apply(action, world.clock.now(), is_stray) : busy;
        items.push_back(refused ? busy : item);
    }
    return items;
}

// What a request does to the index when it has arrived, and what is answered.
engine::Event SimTarget::take_effect(const SimShared& world, const Flying& request) {
    const engine::RequestId id = request.id;
    const std::vector<SimAction>& actions = request.actions;
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
    return engine::BulkAnswered{id, judge(world, request)};
}

// The request arrives once, twice or never, soon or within its timeout, whether or not its process lives by
// then; its answer comes back or does not.
void SimTarget::deliver(Flying request) {
    const SimShared& world = parts_.world;
    const engine::RequestId id = request.id;
    const TimeMs timeout = request_timeout(world.options);
    const bool slow = !world.weather.calm && world.random.percent(10);
    const TimeMs arrives = world.random.between(1, slow ? timeout : std::min(timeout, latency_max_ms));
    const TimeMs rest = world.random.between(0, slow ? timeout - arrives : latency_max_ms);
    const bool lost = world.chance_of(Fault::lost_answers, 15);
    const auto answer = [world, inbox = inbox_, flying = in_flight_, conflicts = conflicts_, id,
                         actions = request.actions](engine::Event event) {
        const bool is_awaited = flying->erase(id) > 0;
        const auto alive = inbox.lock();
        if (!alive) return;
        if (is_awaited) note_conflicts(actions, event, world.history, *conflicts);
        world.trace.say("index", "answers request {}: {}", id, answer_in_words(event));
        alive->push_back({0, std::move(event)});
    };
    // The connection may break before, or after, the index has looked at the request.
    if (lost)
        world.clock.after(world.random.between(0, timeout),
                          [answer, id] { answer(engine::BulkFailed{id, unavailable("reset by peer")}); });
    if (lost && world.random.percent(30)) return;  // and it never arrives
    if (world.chance_of(Fault::duplicates, 15))
        world.clock.after(world.random.between(arrives, timeout),
                          [world, request, epoch = world.cluster.epoch()] {
                              if (world.cluster.epoch() != epoch) return;
                              world.trace.say("index", "gets request {} once more", request.id);
                              take_effect(world, request);
                          });
    world.clock.after(arrives, [world, answer, flying = in_flight_, lost, rest, id,
                                epoch = world.cluster.epoch(), request = std::move(request)] {
        if (world.cluster.epoch() != epoch) {
            if (!lost) answer(engine::BulkFailed{id, unavailable("timed out")});
            return;
        }
        engine::Event event = take_effect(world, request);
        const SimIndex* const index = world.cluster.index();
        if (index != nullptr && index->name() != request.index) disown(event);
        world.trace.say("index", "gets request {}: {}{}", id, answer_in_words(event),
                        lost ? ", and its answer gets lost" : "");
        if (lost) return;
        world.clock.after(rest, [answer, event = std::move(event)]() mutable { answer(std::move(event)); });
    });
}

}  // namespace pawl::simulation
