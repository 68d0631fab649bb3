// design.md's promises as checks. They look at the history, the index and what is durable in the journal, and
// know nothing of the engine. Each throws Violation.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/request.h"
#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_journal.h"
#include "tests/simulation/sim_options.h"
#include "tests/simulation/sim_versions.h"

namespace pawl::simulation {

// Of one pawl, with a journal of its own.
class SimChecks {
  public:
    struct Watched {
        const SimHistory& history;
        const SimCluster& cluster;
        const SimVersions& versions;
    };
    // All must outlive the checks.
    SimChecks(const SimOptions& options, Watched watched, const SimJournal& journal)
        : options_(options),
          history_(watched.history),
          cluster_(watched.cluster),
          versions_(watched.versions),
          journal_(journal) {}

    // Before the first byte leaves: the request keeps its limits, and a durable INTENT stands for each
    // action.
    void request_may_go(const engine::BulkRequest& request, std::size_t in_flight) const;

    // After every step and every commit: all of the following.
    void after_step();
    // The watermark is covered, open batches and gaps keep their limits.
    void journal_is_sound() const;
    // Nothing has gone back since the last look: states, ids, high and watermark.
    void journal_goes_forward();

    // Each entity's latest row at some moment, and whether the index or the quarantine accounts for it.
    std::vector<Revision> latest_rows() const;
    void accounted_for(const std::vector<Revision>& latest) const;

    // What keeps the index from being the latest rows less quarantine; empty: it is.
    std::string difference() const;
    // The same, or a batch that is still open, or a condition that does not belong; empty: converged.
    std::string work_left() const;

  private:
    struct Seen {
        std::uint64_t begins = 0;
        journal::BatchId last_batch = 0;
        Revision high = 0;
        Revision watermark = 0;
        std::map<journal::BatchId, journal::BatchState> open;
    };

    bool has_intent(std::uint32_t entity, Revision above) const;
    bool is_another_batchs(std::uint32_t entity, Revision watermark) const;
    Revision known_of(const SimIndex& index, std::uint32_t entity) const;
    bool is_bad(const HistoryRow& row) const;
    void states_go_forward(const journal::PipelineSnapshot& durable) const;

    const SimOptions& options_;
    const SimHistory& history_;
    const SimCluster& cluster_;
    const SimVersions& versions_;
    const SimJournal& journal_;
    Seen seen_;
};

// After every step: no more pages are held than the open batches, the requests and a read of each pawl
// account for. Throws Violation.
void check_memory(const SimOptions& options, const SimHistory& history, std::size_t hosts);

}  // namespace pawl::simulation
