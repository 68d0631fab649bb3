#include "tests/simulation/sim_world.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace pawl::simulation {
namespace {

constexpr TimeMs start_ms = 1'000'000;
constexpr TimeMs converge_within_ms = 600'000;  // a slow retry (forbidden) takes up to a minute

}  // namespace

SimWorld::SimWorld(const SimOptions& options, std::ostream* listener)
    : options_(options),
      random_(options.seed),
      clock_(start_ms),
      trace_(clock_),
      table_(options.has_outbox() ? std::make_unique<SimOutbox>(options.entities)
                                  : std::make_unique<SimHistory>(options.entities)),
      history_(*table_),
      outbox_(dynamic_cast<SimOutbox*>(table_.get())),
      kept_(outbox_ != nullptr && options.rebuild ? std::make_unique<SimKeptRows>(*outbox_) : nullptr),
      cluster_(history_, options.gc_deletes_ms),
      versions_(!options.strict && (options.has(Fault::alias_moved) || options.has(Fault::index_restored) ||
                                    options.has(Fault::source_restored)),
                options.has_outbox()),
      transactions_left_(options.transactions),
      strikes_left_(options.strikes) {
    trace_.listen(listener);
    if (outbox_ != nullptr) fill_table();
    if (kept_) outbox_->keep_in(*kept_);
    const SimShared shared{options_, clock_, random_, history_, outbox_, cluster_, lock_, weather_, trace_};
    const SimChecks::Watched watched{history_, cluster_, versions_, outbox_, kept_.get()};
    hosts_.push_back(std::make_unique<SimHost>(shared, watched, tally_, start_ms));
    if (options_.has(Fault::second_pawl)) {
        ++tally_.second_pawls;
        const TimeMs comes_at = start_ms + random_.between(0, options_.faults_end_ms / 2);
        hosts_.push_back(std::make_unique<SimHost>(shared, watched, tally_, comes_at));
    }
    if (options_.rebuild)
        rebuild_ = std::make_unique<SimRebuild>(shared, SimRebuild::Watched{history_, versions_, kept_.get()},
                                                tally_);
}

// What is still under way points into the world's parts.
SimWorld::~SimWorld() {
    clock_.forget_all();
}

void SimWorld::run() {
    write();
    strike();
    while (clock_.now() < start_ms + options_.faults_end_ms || transactions_left_ > 0)
        step();
    calm_down();
    converge();
    ++tally_.schedules;
    tally_.forgiven = versions_.forgiven();
    tally_.virtual_ms = static_cast<std::uint64_t>(clock_.now() - start_ms);
}

// The next thing happens, wherever that is; then all is looked at.
void SimWorld::step() {
    ++tally_.steps;
    take_step();
    if (const SimIndex* const index = cluster_.index()) versions_.look_at(*index);
    for (const auto& host : hosts_)
        host->checks().after_step();
    if (rebuild_) rebuild_->after_step();
    check_memory(options_, history_, hosts_.size() + (rebuild_ ? 1 : 0));
    if (kept_) check_memory(options_, *kept_, 1);
}

void SimWorld::take_step() {
    std::optional<TimeMs> own;
    const auto wants = [&](std::optional<TimeMs> due) {
        if (due && (!own || *due < *own)) own = due;
    };
    for (const auto& host : hosts_) {
        if (host->run()) return;
        wants(host->next_due());
    }
    if (rebuild_) {
        if (rebuild_->run()) return;
        wants(rebuild_->next_due());
    }
    const auto outside = clock_.next_time();
    if (!own && !outside) throw Violation{"nothing will ever happen again"};
    if (outside && (!own || *outside <= *own))
        clock_.do_next();
    else
        clock_.advance_to(std::max(clock_.now(), *own));
}

void SimWorld::calm_down() {
    trace_.say("world", "calms down: nothing fails any more");
    weather_ = {.calm = true, .source_restarts = weather_.source_restarts};
    for (const auto& host : hosts_)
        host->calm_down();
    if (rebuild_) rebuild_->calm_down();
    for (const auto& transaction : std::exchange(open_transactions_, {}))
        end_transaction(transaction, random_.percent(70) ? Fate::committed : Fate::dead);
    // A deleted index is noticed by the next request: there is one more.
    end_transaction({history_.insert(0, RowKind::good)}, Fate::committed);
    // And what the index remembers is looked at now and then.
    for (const TimeMs until = clock_.now() + 2 * options_.limits.checkpoint_interval_ms;
         clock_.now() < until;)
        step();
    // What was refused before is asked for again once all old requests are answered.
    if (!options_.has(Fault::operator_retries)) return;
    cluster_.mend_mapping();
    const TimeMs goes_on_until = clock_.now() + options_.gc_deletes_ms + 2'000;
    const auto all_run = [this] {
        return std::all_of(hosts_.begin(), hosts_.end(),
                           [](const auto& host) { return host->has_process(); });
    };
    // A batch may have answers from before, and wait for its other ones for as long as a retry takes.
    const auto is_at_work = [this] {
        return std::any_of(hosts_.begin(), hosts_.end(), [](const auto& host) {
            return host->leads() && host->journal().open_batches() > 0;
        });
    };
    while (clock_.now() < goes_on_until || !all_run() ||
           (is_at_work() && clock_.now() < goes_on_until + converge_within_ms))
        step();
    for (const auto& host : hosts_)
        host->ask_for_retry();
}

// Of those that feed the index; a standby waits, with whatever its journal says.
std::string SimWorld::work_left() {
    if (rebuild_ && !rebuild_->is_over()) return "the rebuild is not done";
    bool is_led = false;
    for (const auto& host : hosts_) {
        if (!host->leads()) continue;
        is_led = true;
        if (std::string left = host->checks().work_left(); !left.empty()) return left;
    }
    return is_led ? "" : "nobody has the lease";
}

std::string SimWorld::difference() {
    for (const auto& host : hosts_) {
        if (!host->leads()) continue;
        if (std::string difference = host->checks().difference(); !difference.empty()) return difference;
    }
    return {};
}

void SimWorld::converge() {
    const TimeMs deadline = clock_.now() + converge_within_ms;
    do {
        while (true) {
            for (int some = 0; some < 8; ++some)
                step();
            for (const auto& host : hosts_) {
                host->ask_for_retry_again();
                host->operator_looks();
            }
            const std::string left = work_left();
            if (left.empty()) break;
            if (clock_.now() > deadline) throw Violation{fmt::format("did not converge: {}", left)};
        }
        trace_.say("world", "the index is the history");
    } while (!stays_converged());
}

// False: a pipeline has found a reason to begin again, or another pawl has taken over, whose journal does not
// know yet what this one's does. It has to converge anew.
bool SimWorld::stays_converged() {
    const auto begins = [this] {
        std::uint64_t sum = 0;
        for (const auto& host : hosts_)
            sum += host->journal().begins();
        return sum;
    };
    const auto leading = [this] {
        std::vector<bool> leads;
        for (const auto& host : hosts_)
            leads.push_back(host->leads());
        return leads;
    };
    const std::uint64_t begins_before = begins();
    const auto leading_before = leading();
    const TimeMs rest_until = clock_.now() + 2 * options_.limits.poll_interval_ms;
    while (clock_.now() < rest_until) {
        step();
        if (begins() != begins_before || cluster_.index() == nullptr) return false;
        if (leading() != leading_before) return false;
        if (const std::string found = difference(); !found.empty())
            throw Violation{fmt::format("did not stay converged: {}", found)};
    }
    return true;
}

std::string violation_of(const SimOptions& options, SimTally* tally, std::ostream* listener) {
    SimWorld world(options, listener);
    try {
        world.run();
    } catch (const Violation& violation) {
        return violation.text;
    }
    if (tally != nullptr) tally->add(world.tally());
    return {};
}

SimOptions smaller(SimOptions options) {
    const auto fails = [](const SimOptions& candidate) { return !violation_of(candidate).empty(); };
    for (std::size_t fault = 0; fault < faults; ++fault) {
        SimOptions without = options;
        without.on[fault] = false;
        if (fails(without)) options = without;
    }
    const auto shrink = [&](std::uint32_t SimOptions::* number) {
        for (std::uint32_t step = options.*number / 2; step > 0;) {
            SimOptions fewer = options;
            fewer.*number -= std::min(step, fewer.*number);
            if (fewer.*number < options.*number && fewer.*number > 0 && fails(fewer))
                options = fewer;
            else
                step /= 2;
        }
    };
    shrink(&SimOptions::transactions);
    shrink(&SimOptions::strikes);
    return options;
}

}  // namespace pawl::simulation
