// One machine with a pawl: its journal outlives its processes. There may be two of them on one index.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/runner.h"
#include "tests/simulation/sim_checks.h"
#include "tests/simulation/sim_journal.h"
#include "tests/simulation/sim_ports.h"
#include "tests/simulation/sim_tally.h"

namespace pawl::simulation {

// One life of a process: a runner with one pipeline, begun from what the journal holds.
struct SimProcess {
    SimProcess(const SimParts& parts, SimJournal& journal, engine::Observer& observer,
               engine::Until runs_until);

    bool wants_to_run(TimeMs now) const;

    engine::Until until;
    bool stop_asked = false;
    SimRowsThere rows_at_start;
    std::optional<engine::Finish> finish;
    std::string_view refill_row;  // of the recovery table, that has stopped it
    std::shared_ptr<SimInbox> inbox;
    SimLeaseTerm lease_term;
    SimSource source;
    SimLease lease;
    SimTarget target;
    engine::Runner runner;
};

// Lives as long as its world; its parts point into it.
class SimHost final : private engine::Observer {
  public:
    SimHost(SimShared world, SimChecks::Watched watched, SimTally& tally, TimeMs first_start);
    SimHost(const SimHost&) = delete;
    SimHost& operator=(const SimHost&) = delete;

    // What the process does next happens not before this time; empty: nothing does by itself.
    std::optional<TimeMs> next_due() const;
    // The process starts, or takes its events and timers; false: it has nothing to do now. Throws Violation.
    bool run();

    // Sudden death, or what else ends a process. The next one starts after the pause.
    void end_process(TimeMs pause);
    // Does nothing where there is no process.
    void post(engine::Event event);

    // An operator asks for another try of all of the quarantine.
    void ask_for_retry();
    // And again, where the process died before it was written: the command has failed then.
    void ask_for_retry_again();
    // Versions in the index that are nobody's: the history went back over rows that had been sent ahead of
    // their turn. The index is made anew.
    void operator_looks();

    bool has_process() const { return process_ != nullptr; }
    // Its process has the lease.
    bool leads() const { return process_ && process_->lease.is_held(); }
    SimJournal& journal() { return journal_; }
    SimChecks& checks() { return checks_; }

    // Faults. Those that are of the process at hand go with it.
    void crash_soon(std::uint32_t boundaries_to_live) { fuse_.set(boundaries_to_live); }
    void sleep_until(TimeMs time) { fuse_.sleep_until(time); }
    void next_commit(SimJournal::Disk disk) { next_commit_ = disk; }
    void disk_full_until(TimeMs time) { disk_full_until_ = time; }
    void calm_down();

  private:
    void start_process();
    void hand_over_events();
    void look_at_finished();
    bool stopped_for_regression() const;
    bool stopped_for_refill() const;
    bool verify_finds_something() const;
    void rebuild();
    SimJournal::Disk disk_at(TimeMs now);

    void notice(const std::string& pipeline, const engine::Notice& notice) override;
    void recovered(const std::string& pipeline, const engine::ReportRecovery& report) override;
    void finished(const std::string& pipeline, const engine::Finish& finish) override;

    SimShared world_;
    SimTally& tally_;
    SimJournal journal_;
    SimChecks checks_;
    SimFuse fuse_;
    std::unique_ptr<SimProcess> process_;
    TimeMs starts_at_;  // the next process
    // The process that an operator has asked for another try, and the journal's retries() until then.
    std::string retry_asked_of_;
    std::uint64_t retries_before_ = 0;
    SimJournal::Disk next_commit_ = SimJournal::Disk::takes;
    TimeMs disk_full_until_ = 0;
};

}  // namespace pawl::simulation
