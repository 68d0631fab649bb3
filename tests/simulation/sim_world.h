// Drives the real runner and pipeline through a whole life: writers, faults, deaths and restarts, then calm.
// One seed decides everything; the same options give the same run.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/sim_clock.h"
#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_host.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_options.h"
#include "tests/simulation/sim_rebuild.h"
#include "tests/simulation/sim_tally.h"
#include "tests/simulation/sim_trace.h"
#include "tests/simulation/sim_versions.h"

namespace pawl::simulation {

class SimWorld {
  public:
    // With a listener every step is told to it.
    explicit SimWorld(const SimOptions& options, std::ostream* listener = nullptr);
    ~SimWorld();
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    // Faults, then calm, then convergence. Throws Violation.
    void run();
    const SimTally& tally() const { return tally_; }
    // For a test that puts a real journal beneath.
    SimJournal& journal() { return hosts_.front()->journal(); }

  private:
    // sim_world.cc: the course of things
    void step();
    void take_step();
    void calm_down();
    void converge();
    bool stays_converged();
    std::string work_left();
    std::string difference();

    // sim_troubles.cc: who writes, and what goes wrong
    void write();
    SimHistory::Transaction insert_rows();
    void end_transaction(const SimHistory::Transaction& transaction, Fate fate);
    void strike();
    void strike(Fault fault, SimHost& host);
    void fill_table();
    void restart_source(TimeMs back_after);
    void restore_source();
    bool may_strike(Fault fault) { return options_.has(fault) && random_.percent(60); }
    SimHost& any_host() { return *hosts_[hosts_.size() > 1 ? random_.below(hosts_.size()) : 0]; }

    SimOptions options_;
    SimRandom random_;
    SimClock clock_;
    SimTrace trace_;
    std::unique_ptr<SimHistory> table_;
    SimHistory& history_;
    SimOutbox* outbox_;                  // the same; null in revision mode
    std::unique_ptr<SimKeptRows> kept_;  // null: no rebuild of an outbox
    SimCluster cluster_;
    SimLock lock_;
    SimVersions versions_;
    SimWeather weather_;
    SimTally tally_;
    std::vector<std::unique_ptr<SimHost>> hosts_;
    std::unique_ptr<SimRebuild> rebuild_;  // null: no operator has that done

    std::uint32_t transactions_left_;
    std::uint32_t strikes_left_;
    std::vector<SimHistory::Transaction> open_transactions_;
};

// What was violated in a run with these options; empty: nothing. Adds to the tally unless that is null. An
// assertion of the engine ends the process.
std::string violation_of(const SimOptions& options, SimTally* tally = nullptr,
                         std::ostream* listener = nullptr);

// Options with as few faults, writes and strikes as still violate something.
SimOptions smaller(SimOptions options);

}  // namespace pawl::simulation
