// One life of the simulated process: a runner with one pipeline, begun from what the journal holds.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulation/sim_world.h"

namespace pawl::simulation {

struct SimWorld::Process {
    Process(const SimParts& parts, SimJournal& journal, engine::Observer& observer, SimRandom& random,
            engine::Until runs_until)
        : until(runs_until),
          inbox(std::make_shared<SimInbox>()),
          source(parts, inbox),
          target(parts, inbox),
          runner(journal, observer, random) {
        engine::PipelineSettings settings{.name = "lex",
                                          .source = {journal::SourceMode::revision, "karp", "lex"},
                                          .limits = parts.options.limits,
                                          .until = until};
        runner.add(engine::Pipeline(std::move(settings), journal.durable()), source, target);
        inbox->push_back({0, engine::Begin{}});
    }

    bool wants_to_run(TimeMs now) const {
        const auto due = runner.next_due();
        return !inbox->empty() || (due && *due <= now);
    }
    void forget_requests() { target.forget_requests(); }

    engine::Until until;
    bool stop_asked = false;
    std::vector<Revision> latest_at_start;
    std::shared_ptr<SimInbox> inbox;
    SimSource source;
    SimTarget target;
    engine::Runner runner;
};

}  // namespace pawl::simulation
