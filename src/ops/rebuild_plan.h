// Where a rebuild stands and what it does next, as one table. What is known of it lies in two places: which
// indices are behind the pipeline's alias and the rebuild's (index/rebuild_index.h), and the folder that the
// rebuild has beside the journal (ops/rebuild_folder.h). And in which order all is done. Pure: the simulation
// goes by it too (tests/simulation/sim_rebuild.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace pawl::ops {

// What an earlier rebuild of the pipeline left in this journal.
enum class RebuildFolderFact : std::uint8_t {
    none,
    same,   // of a rebuild with this config
    other,  // of a rebuild with another mapping, table or document
};
enum class RebuildIndexFact : std::uint8_t {
    none,     // no index is behind the rebuild's alias
    filling,  // one is, and nobody reads it
    swapped,  // one is, and the pipeline's alias leads to it already
};

enum class RebuildStep : std::uint8_t {
    begin,     // with a new index and an empty folder
    resume,    // go on filling
    restart,   // delete the half-filled index, then begin: it has been made for another config
    conclude,  // catch up once more and forget the rebuild
    refuse,    // another pawl's, or its folder is lost: a person decides
};

RebuildStep next_step(RebuildIndexFact index, RebuildFolderFact folder);
// The same in outbox mode. Where a rebuild should go on, but its table of kept rows is gone, rows may have
// been deleted of which the half-filled index was never told: it begins anew.
RebuildStep with_kept_rows(RebuildStep step, bool are_kept);
std::string_view name_of(RebuildStep step);  // "begin", "resume", …

// One thing that a rebuild does. It may die before, in or after each.
enum class RebuildAct : std::uint8_t {
    delete_half_filled,  // the index behind the rebuild's alias
    clear_folder,
    keep_rows,       // outbox mode (ops/rebuild_keeping.h): from now on
    fill,            // makes the index where there is none
    finish_loading,  // own settings back, all of it durable, replicas
    compare,         // with the history; what differs is sent again
    catch_up_before_swap,
    raise_ids,            // outbox mode: above all versions in the new index
    tell_replaced,        // outbox mode: the new index says which one it replaces
    swap,                 // the pipeline's alias leads to the new index from now on
    drop_old,             // only where it is asked for
    catch_up_after_swap,  // with what a daemon has fed into the old index since; outbox mode: see
                          // acts_after_swap
    forget,               // takes the rebuild's alias away
};

// All that is left to do, in this order. Nothing for `refuse`.
enum class HasOutbox : std::uint8_t { no, yes };
std::vector<RebuildAct> acts_of(RebuildStep step, HasOutbox has_outbox);
std::string_view name_of(RebuildAct act);  // "delete_half_filled", …

// What becomes of kept rows after the swap, at each look.
enum class KeptAct : std::uint8_t {
    hand_over,                // all that are there by now, into the outbox
    tell_that_nothing_lacks,  // the new index, since nobody has taken it up
    drop,                     // the table
};
std::string_view name_of(KeptAct act);  // "hand_over", …

struct KeptFacts {
    // The daemon that feeds the pipeline has taken the new index up: it deletes no row any more that only the
    // old one has.
    bool is_taken_up = false;
    // It is not, but nobody begins to delete a row: the rebuild has the pipeline's lease.
    bool nobody_feeds = false;
    // As SinceOver says.
    bool for_long = false;

    bool are_over() const { return is_taken_up || nobody_feeds; }
};

// Since when one look after the other, by one call, finds that rows are deleted for the new index only.
class SinceOver {
  public:
    // Whether for longer than a lease is counted on by a pawl that has lost it: what such a one had begun to
    // delete for the old index is done by now, or never will be.
    bool for_long(bool are_over, TimeMs now);
    // They are, at the last look.
    bool begun() const { return since_.has_value(); }
    // A look has failed: what was won may be lost.
    void forget() { since_.reset(); }

  private:
    std::optional<TimeMs> since_;
};

// In this order. Without `drop`: it is to be looked again later.
std::vector<KeptAct> acts_after_swap(const KeptFacts& facts);

}  // namespace pawl::ops
