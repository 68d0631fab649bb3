// What pawl promises, as checks. They look at the history, the index and what is durable in the journal, and
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
#include "tests/simulation/sim_outbox.h"
#include "tests/simulation/sim_versions.h"

namespace pawl::simulation {

// At one moment: of each entity the latest row; of an outbox those that are there.
struct SimRowsThere {
    std::vector<Revision> rows;
    std::uint64_t restores = 0;  // of the history until then: what a later one takes away is not waited for
};

// Of one pawl, with a journal of its own.
class SimChecks {
  public:
    struct Watched {
        const SimHistory& history;
        const SimCluster& cluster;
        const SimVersions& versions;
        const SimOutbox* outbox = nullptr;  // the same as `history`, in outbox mode
        const SimKeptRows* kept = nullptr;  // a rebuild's, in outbox mode
    };
    // All must outlive the checks.
    SimChecks(const SimOptions& options, Watched watched, const SimJournal& journal)
        : options_(options),
          history_(watched.history),
          cluster_(watched.cluster),
          versions_(watched.versions),
          outbox_(watched.outbox),
          kept_(watched.kept),
          journal_(journal) {}

    // Before the first byte leaves: the request keeps its limits, and a durable INTENT stands for each
    // action.
    void request_may_go(const engine::BulkRequest& request, std::size_t in_flight) const;

    // After every step and every commit: all of the following.
    void after_step();
    // The watermark is covered, open batches and gaps keep their limits.
    void journal_is_sound() const;
    // What the index remembers is true of it.
    void index_remembers_no_more_than_it_holds() const;
    // Nothing has gone back since the last look: states, ids, high and watermark.
    void journal_goes_forward();

    // Each entity's latest row at some moment, or the rows of an outbox, and whether the index or the
    // quarantine accounts for them.
    SimRowsThere latest_rows() const;
    void accounted_for(const SimRowsThere& rows) const;

    // Some version in the index is no revision of its entity in the history as it is.
    bool index_holds_foreign_versions() const;
    // A pawl that is at rest and was told of such a version, in a 409 with one of these, has said so.
    void heeds(const std::map<std::uint32_t, Revision>& conflicts) const;

    // What keeps the index from being the latest rows less quarantine; empty: it is.
    std::string difference() const;
    // The same, or a batch that is still open, or a condition that does not belong; empty: converged.
    std::string work_left() const;

    // Outbox mode: the index shows the entity as the table has it.
    static bool shows(const Stored& stored, const EntityState& state);
    // Outbox mode: all rows are dealt with, and yet the index is not the table: what `pawl verify` is for.
    bool is_different_at_rest() const;

  private:
    // sim_outbox_checks.cc: the same of an outbox
    void has_intent_for(const engine::Row& action) const;
    bool is_told_of(const SimIndex& index, std::uint32_t entity) const;
    void deleted_rows_are_in(const SimIndex& index) const;
    void all_gone(const std::vector<Revision>& rows) const;
    std::string rows_left() const;
    std::string difference_to_table(const SimIndex& index) const;
    std::string difference_to_history(const SimIndex& index) const;
    std::string rest_left() const;

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
    bool is_bad(RowKind kind) const;
    bool comes_with_the_fill(const HistoryRow& row, Revision watermark) const;
    bool is_owed(const engine::Remembered& remembered, const HistoryRow& row) const;
    void states_go_forward(const journal::PipelineSnapshot& durable) const;

    const SimOptions& options_;
    const SimHistory& history_;
    const SimCluster& cluster_;
    const SimVersions& versions_;
    const SimOutbox* outbox_;
    const SimKeptRows* kept_;
    const SimJournal& journal_;
    Seen seen_;
    Revision fills_at_most_through_ = 0;  // where the history ended when the pipeline began
};

// After every step: no more pages are held than the open batches, the requests and a read of each pawl
// account for. Throws Violation.
void check_memory(const SimOptions& options, const SimHistory& history, std::size_t hosts);

}  // namespace pawl::simulation
