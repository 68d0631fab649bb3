// The engine's ports onto the simulated history and index, with latency, lost answers and refusals.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/ports.h"
#include "engine/runner.h"
#include "tests/simulation/sim_checks.h"
#include "tests/simulation/sim_clock.h"
#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_options.h"
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

  private:
    const SimTrace& trace_;
    std::string who_;
    std::uint32_t to_live_ = 0;
};

// What all pawls share, and what each has of its own.
struct SimShared {
    const SimOptions& options;
    SimClock& clock;
    SimRandom& random;
    SimHistory& history;
    SimCluster& cluster;
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

class SimSource final : public engine::SourcePort {
  public:
    SimSource(SimParts parts, std::weak_ptr<SimInbox> inbox) : parts_(parts), inbox_(std::move(inbox)) {}
    void prepare() override;
    void read(engine::ReadRequest request) override;
    void prove() override;

  private:
    SimParts parts_;
    std::weak_ptr<SimInbox> inbox_;
    TimeMs busy_until_ = 0;  // reads are answered in order
};

class SimTarget final : public engine::IndexPort {
  public:
    SimTarget(SimParts parts, std::weak_ptr<SimInbox> inbox) : parts_(parts), inbox_(std::move(inbox)) {}
    void prepare() override;
    void send(engine::BulkRequest request) override;

    // The pipeline has begun again: answers to former requests mean nothing to it any more.
    void forget_requests() { in_flight_->clear(); }
    // Requests so far.
    std::uint64_t sent() const { return sent_; }

  private:
    void deliver(engine::RequestId id, std::vector<SimAction> actions);

    SimParts parts_;
    std::weak_ptr<SimInbox> inbox_;
    std::uint64_t sent_ = 0;
    std::shared_ptr<std::set<engine::RequestId>> in_flight_ = std::make_shared<std::set<engine::RequestId>>();
};

}  // namespace pawl::simulation
