// What somebody sees who reads by the pipeline's alias while the index behind it is replaced.
#pragma once

#include <vector>

#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_outbox.h"
#include "tests/simulation/sim_versions.h"

namespace pawl::simulation {

// Each check throws Violation. Entities of which the index has ever refused a row count for nothing: the new
// index lacks even the document that the old one has kept.
class SimRebuildReader {
  public:
    // `outbox`: the same as `history`, in outbox mode; else null. There versions begin anew with each index,
    // and the content says what is older.
    SimRebuildReader(const SimHistory& history, const SimOutbox* outbox, const SimVersions& versions)
        : history_(history), outbox_(outbox), versions_(versions) {}

    // After every step: once there is an index behind the alias, there always is. Null: there is none.
    void look_at(const SimIndex* live);
    // A person has deleted it, as pawl proposes where it does not know what the index lacks.
    void expects_nothing() { seen_.clear(); }
    // What a new index must hold that has been compared now, and then catches up: all that the live one has.
    // With an outbox less those entities that it names: their rows may be fed into the live index, and come
    // to the kept ones only when they are deleted. What stands for them here asks for nothing.
    std::vector<Stored> must_hold(const SimIndex& live) const;
    // At the very moment of the swap: nothing that must be there is missing or older.
    void swaps_to(const SimIndex& fresh, const std::vector<Stored>& must_hold) const;
    // When a rebuild says that it is done: the new index has had all that was ever seen. With an outbox: it
    // is the table, but for the entities that the outbox names.
    void has_all(const SimIndex* live) const;

  private:
    Revision age_of(const Stored& stored) const {
        return outbox_ == nullptr ? stored.version : stored.content;
    }
    void is_the_table(const SimIndex* live) const;
    bool is_deleted_after(std::uint32_t entity, Revision revision) const;
    bool has_bad_row(std::uint32_t entity) const;

    const SimHistory& history_;
    const SimOutbox* outbox_;
    const SimVersions& versions_;
    std::vector<Revision> seen_;  // of each entity the highest age_of; empty: there was no index yet
};

}  // namespace pawl::simulation
