// What somebody sees who reads by the pipeline's alias while the index behind it is replaced.
#pragma once

#include <vector>

#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"
#include "tests/simulation/sim_versions.h"

namespace pawl::simulation {

// Each check throws Violation. Entities of which the index has ever refused a row count for nothing: the new
// index lacks even the document that the old one has kept.
class SimRebuildReader {
  public:
    SimRebuildReader(const SimHistory& history, const SimVersions& versions)
        : history_(history), versions_(versions) {}

    // After every step: once there is an index behind the alias, there always is. Null: there is none.
    void look_at(const SimIndex* live);
    // At the very moment of the swap: nothing that must be there is missing or older.
    void swaps_to(const SimIndex& fresh, const std::vector<Stored>& must_hold) const;
    // When a rebuild says that it is done: the new index has had all that was ever seen.
    void has_all(const SimIndex* live) const;

  private:
    bool is_deleted_after(std::uint32_t entity, Revision revision) const;
    bool has_bad_row(std::uint32_t entity) const;

    const SimHistory& history_;
    const SimVersions& versions_;
    std::vector<Revision> seen_;  // of each entity the highest version; empty: there was no index yet
};

}  // namespace pawl::simulation
