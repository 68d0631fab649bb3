// Elasticsearch as pawl knows it: aliases, external_gte versions, tombstones that expire by the virtual
// clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/request.h"
#include "tests/simulation/sim_clock.h"
#include "tests/simulation/sim_history.h"

namespace pawl::simulation {

// One entity in one index.
struct Stored {
    Revision version = 0;  // 0: neither document nor tombstone
    bool is_document = false;
    TimeMs deleted_at = 0;
};

struct SimIndex {
    std::size_t number = 0;  // counts up
    std::string uuid;
    std::vector<Stored> stored;  // of each entity
};

// An action on the wire: no views into anybody's memory.
struct SimAction {
    Revision revision = 0;
    std::uint32_t entity = 0;
    engine::Action action = engine::Action::index;
};

class SimCluster {
  public:
    SimCluster(const SimHistory& history, TimeMs gc_deletes_ms);

    // The index behind the alias, made when there is none.
    engine::TargetFacts prepare();
    // One action, as the real thing judges it: the document first, then the version. What must never happen
    // it lets happen; SimVersions sees it.
    engine::ItemResult apply(const SimAction& action, TimeMs now);

    // Null: the alias is gone.
    const SimIndex* index() const { return current_ ? &indices_[*current_] : nullptr; }

    void delete_index() { current_.reset(); }
    // The alias points to a new index with the documents that the present one has, or with none.
    void move_alias(bool with_documents, TimeMs now);
    // From now on the mapping takes the documents that it refused.
    void mend_mapping() { mended_ = true; }
    bool mended() const { return mended_; }
    // Counts up when requests that are still on their way must be dropped.
    std::uint64_t epoch() const { return epoch_; }

  private:
    SimIndex& add_index();

    const SimHistory& history_;
    TimeMs gc_deletes_ms_;
    std::vector<SimIndex> indices_;
    std::optional<std::size_t> current_;
    bool mended_ = false;
    std::uint64_t epoch_ = 0;
};

}  // namespace pawl::simulation
