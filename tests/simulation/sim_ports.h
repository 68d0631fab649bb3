// The engine's ports onto the simulated history and index, with latency, lost answers and refusals.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "engine/ports.h"
#include "engine/runner.h"
#include "tests/simulation/sim_checks.h"
#include "tests/simulation/sim_clock.h"
#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_options.h"

namespace pawl::simulation {

// What fails at the moment, until when.
struct Weather {
    bool calm = false;  // nothing fails any more
    TimeMs source_down_until = 0;
    TimeMs index_down_until = 0;
    TimeMs forbidden_until = 0;
    // The process dies when it has come past so many more points; 0: it does not.
    std::uint32_t points_to_live = 0;

    void point() {
        if (points_to_live > 0 && --points_to_live == 0) throw Crash{};
    }
};

struct SimParts {
    const SimOptions& options;
    SimClock& clock;
    SimRandom& random;
    SimHistory& history;
    SimCluster& cluster;
    const SimChecks& checks;
    Weather& weather;
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
    void answer(TimeMs delay, engine::Event event);

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

  private:
    engine::Event take_effect(const engine::BulkRequest& request);
    std::vector<engine::ItemResult> judge(const engine::BulkRequest& request);
    void answer(TimeMs delay, engine::Event event);

    SimParts parts_;
    std::weak_ptr<SimInbox> inbox_;
    std::shared_ptr<std::set<engine::RequestId>> in_flight_ = std::make_shared<std::set<engine::RequestId>>();
};

}  // namespace pawl::simulation
