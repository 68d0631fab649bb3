// design.md's promises as checks. They look at the history, the index and what is durable in the journal, and
// know nothing of the engine. Each throws Violation.
#pragma once

#include <string>
#include <vector>

#include "engine/request.h"
#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_journal.h"
#include "tests/simulation/sim_options.h"

namespace pawl::simulation {

class SimChecks {
  public:
    SimChecks(const SimOptions& options, const SimHistory& history, const SimCluster& cluster,
              const SimJournal& journal)
        : options_(options), history_(history), cluster_(cluster), journal_(journal) {}

    // Before the first byte leaves: the request keeps its limits, and a durable INTENT stands for each
    // action.
    void request_may_go(const engine::BulkRequest& request, std::size_t in_flight) const;

    // After every commit: the watermark is covered, open batches and gaps keep their limits.
    void journal_is_sound() const;

    // After every step: no more pages are held than the open batches, the requests and a read account for.
    void memory_is_bounded() const;

    // Each entity's latest row at some moment, and whether the index or the quarantine accounts for it.
    std::vector<Revision> latest_rows() const;
    void accounted_for(const std::vector<Revision>& latest) const;

    // What keeps the index from being the latest rows less quarantine; empty: it is.
    std::string difference() const;
    // The same, or a batch that is still open, or a condition that does not belong; empty: converged.
    std::string work_left() const;

  private:
    bool has_intent(std::uint32_t entity, Revision above) const;
    bool is_another_batchs(std::uint32_t entity, Revision watermark) const;
    Revision known_of(const SimIndex& index, std::uint32_t entity) const;
    bool is_bad(const HistoryRow& row) const;

    const SimOptions& options_;
    const SimHistory& history_;
    const SimCluster& cluster_;
    const SimJournal& journal_;
};

}  // namespace pawl::simulation
