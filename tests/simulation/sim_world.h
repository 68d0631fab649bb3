// Drives the real runner and pipeline through a whole life: writers, faults, deaths and restarts, then calm.
// One seed decides everything; the same options give the same run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/runner.h"
#include "tests/simulation/sim_checks.h"
#include "tests/simulation/sim_clock.h"
#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_journal.h"
#include "tests/simulation/sim_options.h"
#include "tests/simulation/sim_ports.h"

namespace pawl::simulation {

// What a run has been through, to see that the rare things were reached.
struct SimTally {
    std::uint64_t steps = 0;
    std::uint64_t processes = 0;
    std::uint64_t crashes = 0;
    std::uint64_t requests = 0;
    std::uint64_t replays = 0;       // open batches that a start found in INTENT
    std::uint64_t begins_again = 0;  // decisions begin and adopt
    std::uint64_t quarantined = 0;   // notices about it
    std::uint64_t finished = 0;      // processes that came to rest by themselves or were stopped
    std::uint64_t virtual_ms = 0;

    void add(const SimTally& other);
};
std::string to_string(const SimTally& tally);

class SimWorld final : private engine::Observer {
  public:
    explicit SimWorld(const SimOptions& options);
    ~SimWorld() override;
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    // Faults, then calm, then convergence. Throws Violation.
    void run();
    const SimTally& tally() const { return tally_; }
    // For a test that puts a real journal beneath.
    SimJournal& journal() { return journal_; }

  private:
    struct Process;

    // sim_world.cc: the course of things
    void step();
    void start_process();
    void end_process(TimeMs pause);
    void hand_over_events();
    void look_at_finished(const engine::Finish& finish);
    void calm_down();
    void converge();

    // sim_troubles.cc: who writes, and what goes wrong
    void write();
    SimHistory::Transaction insert_rows();
    void strike();
    void strike(Fault fault);
    bool may_strike(Fault fault) { return options_.has(fault) && random_.percent(60); }

    void notice(const std::string& pipeline, const engine::Notice& notice) override;
    void recovered(const std::string& pipeline, const engine::ReportRecovery& report) override;
    void finished(const std::string& pipeline, const engine::Finish& finish) override;

    SimOptions options_;
    SimRandom random_;
    SimClock clock_;
    SimHistory history_;
    SimCluster cluster_;
    SimJournal journal_;
    SimChecks checks_;
    Weather weather_;
    SimTally tally_;

    std::unique_ptr<Process> process_;
    std::optional<engine::Finish> finish_;  // of the process at hand
    TimeMs starts_at_ = 0;                  // the next process
    TimeMs sleeps_until_ = 0;
    bool journal_fails_next_ = false;
    std::uint32_t transactions_left_;
    std::vector<SimHistory::Transaction> open_transactions_;
};

}  // namespace pawl::simulation
