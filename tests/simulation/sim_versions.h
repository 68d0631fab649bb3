// Remembers the highest version that each index ever had of each entity, and sees when one goes back. Stands
// apart from the index, whose versions and tombstones it watches from outside.
#pragma once

#include <vector>

#include "tests/simulation/sim_history.h"
#include "tests/simulation/sim_index.h"

namespace pawl::simulation {

class SimVersions {
  public:
    // With `forgiving` an older state is not a violation (sim_options.h says when). Of an outbox the content
    // says what is older: a row may be replayed with the present state and its old version. A stray request
    // is forgiven there: the entity has a row in the outbox yet, or the other checks see it.
    explicit SimVersions(bool forgiving, bool by_content = false)
        : forgiving_(forgiving), by_content_(by_content) {}

    // After every step. Throws Violation when an entity is in an older state than before, unless the index is
    // loading: then a node that dies may have forgotten the newer one.
    void look_at(const SimIndex& index);
    // From now on an older state is not a violation.
    void forgive() { forgiving_ = true; }

    // 0: the index never had the entity.
    Revision highest(const SimIndex& index, std::uint32_t entity) const;
    // How often an older state was forgiven.
    std::uint64_t forgiven() const { return forgiven_; }

  private:
    bool forgiving_;
    bool by_content_;
    std::uint64_t forgiven_ = 0;
    // Of each index, by its number, and each entity.
    std::vector<std::vector<Revision>> highest_;
    std::vector<std::vector<bool>> is_older_;  // a forgiven state, until it is mended
};

}  // namespace pawl::simulation
