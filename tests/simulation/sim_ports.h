// The engine's ports onto the simulated history and index, with latency, lost answers and refusals.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/lease_term.h"
#include "engine/ports.h"
#include "engine/runner.h"
#include "tests/simulation/sim_checks.h"
#include "tests/simulation/sim_clock.h"
#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_lock.h"
#include "tests/simulation/sim_options.h"
#include "tests/simulation/sim_outbox.h"
#include "tests/simulation/sim_trace.h"

namespace pawl::simulation {

// What fails at the moment, until when.
struct SimWeather {
    bool calm = false;  // nothing fails any more
    TimeMs source_down_until = 0;
    TimeMs index_down_until = 0;
    TimeMs forbidden_until = 0;
    std::uint64_t source_restarts = 0;
};

// How long a process has to live: it dies at a boundary of an effect, before or after it.
class SimFuse {
  public:
    explicit SimFuse(const SimTrace& trace) : trace_(trace) {}

    // A process begins, and does not die yet. `who`: "pawl 3".
    void renew(std::string who) {
        who_ = std::move(who);
        to_live_ = 0;
    }
    const std::string& who() const { return who_; }
    // Dies at the n-th boundary from now; 0: does not.
    void set(std::uint32_t boundaries_to_live) { to_live_ = boundaries_to_live; }
    // May throw Crash. `when` is "before" or "after".
    void boundary(std::string_view when, std::string_view effect) {
        if (to_live_ == 0 || --to_live_ > 0) return;
        trace_.say(who_, "CRASH {} {}", when, effect);
        throw Crash{std::string(when) + ":" + std::string(effect)};
    }
    // Its machine stops until then, and goes on as if nothing had been.
    void sleep_until(TimeMs time) { sleeps_until_ = time; }
    TimeMs sleeps_until() const { return sleeps_until_; }

  private:
    const SimTrace& trace_;
    std::string who_;
    std::uint32_t to_live_ = 0;
    TimeMs sleeps_until_ = 0;
};

// What all pawls share, and what each has of its own.
struct SimShared {
    const SimOptions& options;
    SimClock& clock;
    SimRandom& random;
    SimHistory& history;
    SimOutbox* outbox;  // the same as `history` in outbox mode; else null
    SimCluster& cluster;
    SimLock& lock;
    SimWeather& weather;
    const SimTrace& trace;

    // A fault that a request or a read meets by chance.
    bool chance_of(Fault fault, std::uint64_t percent) const {
        return !weather.calm && options.has(fault) && random.percent(percent);
    }
};
struct SimParts {
    SimShared world;
    const SimChecks& checks;
    SimFuse& fuse;
};

// Events of one process. Who posts later than its death posts to nobody.
using SimInbox = std::vector<engine::Happened>;

// As the threads of a process share it.
using SimLeaseTerm = std::shared_ptr<engine::LeaseTerm>;

class SimSource final : public engine::SourcePort {
  public:
    SimSource(SimParts parts, std::weak_ptr<SimInbox> inbox,
              SimLeaseTerm lease_term = std::make_shared<engine::LeaseTerm>())
        : parts_(parts), inbox_(std::move(inbox)), lease_term_(std::move(lease_term)) {}
    void prepare() override;
    void read(engine::ReadRequest request) override;
    void prove() override;
    void clean_up(engine::CleanUpRequest request) override;
    void look_up(engine::LookUpRequest request) override;

  private:
    SimParts parts_;
    std::weak_ptr<SimInbox> inbox_;
    SimLeaseTerm lease_term_;
    TimeMs busy_until_ = 0;  // reads are answered in order
    // What a fill goes by, looked up at its first read.
    std::shared_ptr<std::optional<SimHistory::Scan>> scan_ =
        std::make_shared<std::optional<SimHistory::Scan>>();
};

class SimLease final : public engine::LeasePort {
  public:
    SimLease(SimParts parts, std::weak_ptr<SimInbox> inbox, SimLeaseTerm term)
        : parts_(parts), inbox_(std::move(inbox)), term_(std::move(term)) {}
    ~SimLease() override;
    SimLease(const SimLease&) = delete;
    SimLease& operator=(const SimLease&) = delete;
    void ask() override;
    void give_back() override {}  // the process ends then, and so does its session
    bool is_held() const { return parts_.world.lock.is_held_by(*session_); }
    // Nobody else has it since, so its requests do no harm, though it may have lost it.
    bool was_last_to_win() const { return parts_.world.lock.was_won_last_by(sessions_); }
    // For so long that the process must know.
    bool is_anothers() const {
        return parts_.world.lock.is_held_by_another(sessions_, parts_.world.clock.now(),
                                                    engine::limits::lease_valid_ms);
    }

  private:
    SimParts parts_;
    std::weak_ptr<SimInbox> inbox_;
    std::shared_ptr<SimLock::Session> session_ = std::make_shared<SimLock::Session>(0);  // 0: not connected
    std::set<SimLock::Session> sessions_;                                                // so far
    SimLeaseTerm term_;
};

class SimTarget final : public engine::IndexPort {
  public:
    SimTarget(SimParts parts, std::weak_ptr<SimInbox> inbox, const SimLease& lease)
        : parts_(parts), inbox_(std::move(inbox)), lease_(lease) {}
    void prepare() override;
    void send(engine::BulkRequest request) override;
    void remember(engine::Remembered remembered, const std::string& index_uuid) override;

    // The pipeline has begun again: answers to former requests mean nothing to it any more.
    void forget_requests() {
        in_flight_->clear();
        conflicts_->clear();
        era_ = std::make_shared<const bool>();
    }
    // The versions that the index has named in 409s since then and that were nobody's, of each entity the
    // last one.
    const std::map<std::uint32_t, Revision>& conflicts() const { return *conflicts_; }
    // Requests so far.
    std::uint64_t sent() const { return sent_; }

  private:
    // A request on its way, and the index that it was meant for.
    struct Flying {
        engine::RequestId id = 0;
        std::string index;
        std::vector<SimAction> actions;
        std::weak_ptr<const bool> era;  // gone: the pipeline has begun again since, or its process is dead
        // It was sent with this one, and another pawl may have won the next. 0: with none, which who has lost
        // it does not hear of for lease_valid_ms.
        std::uint64_t lease = 0;
    };
    void deliver(Flying request);
    static engine::Event take_effect(const SimShared& world, const Flying& request);
    static std::vector<engine::ItemResult> judge(const SimShared& world, const Flying& request);

    SimParts parts_;
    std::weak_ptr<SimInbox> inbox_;
    const SimLease& lease_;
    std::uint64_t sent_ = 0;
    std::shared_ptr<const bool> era_ = std::make_shared<const bool>();
    std::shared_ptr<std::set<engine::RequestId>> in_flight_ = std::make_shared<std::set<engine::RequestId>>();
    std::shared_ptr<std::map<std::uint32_t, Revision>> conflicts_ =
        std::make_shared<std::map<std::uint32_t, Revision>>();
};

}  // namespace pawl::simulation
