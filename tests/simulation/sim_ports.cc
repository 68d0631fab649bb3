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

bool holds(const SimHistory& history, const engine::BulkRequest& request, RowKind kind) {
    return std::any_of(request.actions.begin(), request.actions.end(),
                       [&](const engine::Row& action) { return history.row(action.revision).kind == kind; });
}

// Shorter than half of gc_deletes, as design.md demands of every request's timeout.
TimeMs request_timeout(const SimOptions& options) {
    return options.gc_deletes_ms * 2 / 5;
}

}  // namespace

void SimSource::answer(TimeMs delay, engine::Event event) {
    parts_.clock.after(delay, [inbox = inbox_, event = std::move(event)]() mutable {
        if (const auto alive = inbox.lock()) alive->push_back({0, std::move(event)});
    });
}

void SimSource::prepare() {
    parts_.weather.point();
    parts_.clock.after(parts_.random.between(0, latency_max_ms), [this, alive = inbox_] {
        if (alive.expired()) return;
        const TimeMs rest = parts_.random.between(0, latency_max_ms);
        if (parts_.clock.now() < parts_.weather.source_down_until)
            answer(rest, engine::SourceFailed{unavailable("no MariaDB")});
        else
            answer(rest, engine::SourceReady{{parts_.history.end_of_history()}});
    });
}

void SimSource::read(engine::ReadRequest request) {
    parts_.weather.point();
    const TimeMs begins =
        std::max(busy_until_, parts_.clock.now()) + parts_.random.between(0, latency_max_ms);
    busy_until_ = begins + parts_.random.between(0, latency_max_ms);
    parts_.clock.after(begins - parts_.clock.now(), [this, alive = inbox_, rest = busy_until_ - begins,
                                                     request = std::move(request)] {
        if (alive.expired()) return;
        const bool shorten =
            !parts_.weather.calm && parts_.options.has(Fault::short_pages) && parts_.random.percent(50);
        if (parts_.clock.now() < parts_.weather.source_down_until)
            answer(rest, engine::ReadFailed{request.id, unavailable("MariaDB has gone away")});
        else
            answer(rest, engine::PageRead{request.id, parts_.history.read(request, parts_.clock.now(),
                                                                          shorten, parts_.random)});
    });
}

void SimSource::prove() {
    parts_.weather.point();
    const TimeMs asked_in = std::max(busy_until_, parts_.clock.now()) - parts_.clock.now();
    parts_.clock.after(asked_in + parts_.random.between(0, latency_max_ms), [this, alive = inbox_] {
        if (alive.expired()) return;
        const TimeMs rest = parts_.random.between(0, latency_max_ms);
        busy_until_ = parts_.clock.now() + rest;
        if (parts_.clock.now() < parts_.weather.source_down_until)
            answer(rest, engine::ProofFailed{unavailable("no MariaDB")});
        else if (parts_.options.has(Fault::no_proofs))
            answer(rest, engine::ProofAnswered{{engine::Proof::Outcome::not_allowed, 0, "no LOCK TABLES"}});
        else
            answer(rest, engine::ProofAnswered{parts_.history.prove()});
    });
}

void SimTarget::answer(TimeMs delay, engine::Event event) {
    parts_.clock.after(delay, [inbox = inbox_, event = std::move(event)]() mutable {
        if (const auto alive = inbox.lock()) alive->push_back({0, std::move(event)});
    });
}

void SimTarget::prepare() {
    parts_.weather.point();
    parts_.clock.after(parts_.random.between(0, latency_max_ms), [this, alive = inbox_] {
        if (alive.expired()) return;
        const TimeMs now = parts_.clock.now();
        const TimeMs rest = parts_.random.between(0, latency_max_ms);
        if (now < parts_.weather.index_down_until) {
            answer(rest, engine::TargetFailed{unavailable("no Elasticsearch")});
        } else if (now < parts_.weather.forbidden_until) {
            answer(rest, engine::TargetFailed{{ErrorKind::forbidden, "not yours", "ask"}});
        } else {
            const engine::TargetFacts facts = parts_.cluster.prepare();
            const bool lost =
                !parts_.weather.calm && parts_.options.has(Fault::lost_answers) && parts_.random.percent(15);
            if (lost)
                answer(rest, engine::TargetFailed{unavailable("the answer got lost")});
            else
                answer(rest, engine::TargetReady{facts});
        }
    });
}

void SimTarget::send(engine::BulkRequest request) {
    parts_.weather.point();
    in_flight_->insert(request.id);
    parts_.checks.request_may_go(request, in_flight_->size());

    const TimeMs timeout = request_timeout(parts_.options);
    const bool stormy = !parts_.weather.calm;
    const bool slow = stormy && parts_.random.percent(10);
    const TimeMs arrives = parts_.random.between(1, slow ? timeout : std::min(timeout, latency_max_ms));
    const TimeMs answered = parts_.random.between(arrives, slow ? timeout : arrives + latency_max_ms);
    const bool lost = stormy && parts_.options.has(Fault::lost_answers) && parts_.random.percent(15);
    const bool never_arrives = lost && parts_.random.percent(30);
    // The connection may break before, or after, the index has looked at the request.
    if (lost)
        parts_.clock.after(
            parts_.random.between(0, timeout), [inbox = inbox_, flying = in_flight_, id = request.id] {
                flying->erase(id);
                if (const auto alive = inbox.lock())
                    alive->push_back({0, engine::BulkFailed{id, unavailable("reset by peer")}});
            });
    if (never_arrives) {
        parts_.weather.point();
        return;
    }
    parts_.clock.after(
        arrives, [parts = parts_, inbox = inbox_, flying = in_flight_, lost, rest = answered - arrives,
                  epoch = parts_.cluster.epoch(), request = std::move(request)]() mutable {
            // The request is on its way whether or not the process that sent it lives.
            if (parts.cluster.epoch() != epoch) {
                if (!lost) flying->erase(request.id);
                return;
            }
            SimTarget server(parts, inbox);
            engine::Event event = server.take_effect(request);
            request.page.reset();
            if (lost) return;
            parts.clock.after(rest, [inbox, flying, id = request.id, event = std::move(event)]() mutable {
                flying->erase(id);
                if (const auto alive = inbox.lock()) alive->push_back({0, std::move(event)});
            });
        });
    parts_.weather.point();
}

engine::Event SimTarget::take_effect(const engine::BulkRequest& request) {
    const auto failed = [&](ErrorKind kind, const char* message) {
        return engine::BulkFailed{request.id, {kind, message, "do something"}};
    };
    const TimeMs now = parts_.clock.now();
    const bool stormy = !parts_.weather.calm;
    if (now < parts_.weather.index_down_until) return failed(ErrorKind::unavailable, "connection refused");
    if (now < parts_.weather.forbidden_until) return failed(ErrorKind::forbidden, "not yours");
    if (stormy && parts_.options.has(Fault::overload) && parts_.random.percent(10))
        return failed(ErrorKind::overloaded, "too many requests");
    const bool too_many = stormy && parts_.options.has(Fault::too_large) &&
                          request.actions.size() > parts_.options.index_actions_max;
    if (too_many || holds(parts_.history, request, RowKind::oversized))
        return failed(ErrorKind::too_large, "entity too large");
    if (holds(parts_.history, request, RowKind::poison))
        return failed(ErrorKind::rejected, "the request makes no sense");
    return engine::BulkAnswered{request.id, judge(request)};
}

std::vector<ItemResult> SimTarget::judge(const engine::BulkRequest& request) {
    const bool overloaded =
        !parts_.weather.calm && parts_.options.has(Fault::overload) && parts_.random.percent(20);
    std::vector<ItemResult> items;
    for (const engine::Row& action : request.actions) {
        if (overloaded && parts_.random.percent(40))
            items.push_back({ItemStatus::retry, "es_rejected_execution_exception", "queue is full", {}});
        else
            items.push_back(parts_.cluster.apply(action, parts_.clock.now()));
    }
    return items;
}

}  // namespace pawl::simulation
