// Elasticsearch as pawl knows it: aliases, external_gte versions, tombstones that expire by the virtual
// clock.
#pragma once

#include <cstdint>
#include <memory>
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
    bool is_forgotten = false;    // a node has died that had taken a write of it, and there was none since
    bool lost_tombstone = false;  // it was deleted in the index that this one is a copy of
    std::uint64_t content = 0;    // of an outbox: what it shows, or showed before it was deleted
    // By a request that came after a later one with the same version, after its pipeline had begun again, or
    // to an index that it was not meant for.
    bool is_stray = false;
};

struct SimIndex {
    std::size_t number = 0;  // counts up
    std::string uuid;
    std::vector<Stored> stored;  // of each entity
    std::optional<engine::Remembered> remembered = {};
    bool is_anothers = false;  // no pawl has made it: the alias moved to it, or it was restored
    bool is_believed = false;  // such a one, or a copy of it, that a pawl took for what it says of itself
    bool was_erased = false;   // somebody has overwritten what it remembered
    std::uint64_t history_restores =
        0;  // which history it was fed from: SimHistory::restores() when it was made
    bool is_deleted = false;
    // With the settings of a fill: its writes become durable when it is flushed, or by themselves some time
    // after. Until then a node that dies forgets them, though they were acknowledged.
    bool is_loading = false;
    struct Write {
        TimeMs at = 0;
        std::uint32_t entity = 0;
        Stored before;
    };
    std::vector<Write> not_durable = {};  // while it is loading, the oldest first
    bool lacks_writes = false;            // some of them are forgotten, and it has not been compared since

    std::string name() const { return "index-" + uuid; }
    std::uint64_t swap_permit = 0;  // of the call that may let the alias lead here; 0: none
    bool is_fed_from_kept = false;  // of an outbox: by a rebuild, and not all of those rows are given back
};

// An action on the wire: no views into anybody's memory.
struct SimAction {
    Revision revision = 0;
    std::uint32_t entity = 0;
    engine::Action action = engine::Action::index;
    std::uint64_t content = 0;
};

// One alias, and the indices that it has led to.
class SimCluster {
  public:
    SimCluster(const SimHistory& history, TimeMs gc_deletes_ms);
    // The rebuild's alias beside this one, onto the same cluster. It leads nowhere yet, and indices that are
    // made behind it are loading.
    SimCluster beside() const;

    // The index behind the alias, made when there is none.
    engine::TargetFacts prepare();
    // One action, as the real thing judges it: the document first, then the version. What must never happen
    // it lets happen; SimVersions sees it.
    // `is_stray`: the request comes when its pipeline has begun again, or the lease has gone over, or was
    // meant for another index.
    engine::ItemResult apply(const SimAction& action, TimeMs now, bool is_stray = false);

    // Whether the index was copied without the tombstone that this action would have lost against, and says
    // itself that nothing of it is owed (sim_options.h).
    bool nobody_remembers(const SimAction& action) const;

    // Null: the alias is gone.
    const SimIndex* index() const { return current_ ? &(*indices_)[*current_] : nullptr; }

    // False: the alias does not lead to that index.
    bool remember(const std::string& uuid, const engine::Remembered& remembered);

    // A person does it, who knows that readers find nothing until pawl has made and filled another.
    void delete_index() {
        current_.reset();
        is_given_up_ = true;
    }
    bool is_given_up() const { return is_given_up_; }
    // The index as it is now; and again as it was then, if that was ever done: its documents and what it
    // remembers, without the tombstones. It counts as another index (src/index/target.h says how that shows).
    void take_snapshot();
    void restore_snapshot(TimeMs now);
    // Somebody overwrites the mapping's _meta.
    void erase_memory();
    void believe() { current().is_believed = true; }
    // Whatever is still on its way will not arrive.
    void drop_requests() { ++epoch_; }
    // The alias points to a new index with the documents that the present one has, or with none.
    void move_alias(bool with_documents, TimeMs now);
    // From now on the mapping takes the documents that it refused.
    void mend_mapping() { mended_ = true; }
    bool mended() const { return mended_; }

    // A rebuild. All name indices by UUID, and change nothing where it is not as they say.
    // Of one call, in place of any other; 0: none. False: there is no such index.
    bool permit_swap(const std::string& to, std::uint64_t permit);
    // The alias leads from the one to the other from now on; false: it does not lead to the one, or the other
    // is gone or has not this permit.
    bool swap(const std::string& from, const std::string& to, std::uint64_t permit);
    void take_alias_from(const std::string& uuid);
    void delete_index(const std::string& uuid);
    void finish_loading(const std::string& uuid);
    void is_compared(const std::string& uuid);
    void is_fed_from_outbox(const std::string& uuid);
    // A node dies: the index that is loading forgets some of its last writes. Returns how many.
    std::size_t forget_last_writes(SimRandom& random, TimeMs now);

    // Counts up when requests that are still on their way must be dropped.
    std::uint64_t epoch() const { return epoch_; }

  private:
    SimIndex& add_index();
    SimIndex& current() { return (*indices_)[*current_]; }
    SimIndex* index_with(const std::string& uuid);
    bool leads_to(const std::string& uuid) const { return index() != nullptr && index()->uuid == uuid; }
    void copy_documents(const SimIndex& from, SimIndex& to, TimeMs now) const;

    const SimHistory& history_;
    TimeMs gc_deletes_ms_;
    std::shared_ptr<std::vector<SimIndex>> indices_ = std::make_shared<std::vector<SimIndex>>();
    bool loads_ = false;  // what is made behind this alias
    std::optional<std::size_t> current_;
    bool is_given_up_ = false;  // and there is none since
    std::optional<SimIndex> snapshot_;
    bool mended_ = false;
    std::uint64_t epoch_ = 0;
};

}  // namespace pawl::simulation
