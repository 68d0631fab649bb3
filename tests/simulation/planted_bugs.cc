#include "tests/simulation/planted_bugs.h"

#include <algorithm>
#include <array>

namespace pawl::simulation {
namespace {

using enum planted::Bug;

// Not here, since what they would break belongs to a later version:
// - a lease that is not checked after a reconnect; an outbox that is emptied by range: there is neither yet;
// - a 409 taken for success although the stored version is unknown: this version takes every 409 for success,
// as
//   it does not yet notice a history that went back.
// clang-format off
constexpr std::array bugs{
    PlantedBug{bulk_before_intent, "bulk_before_intent", 10,
     "the request may leave while its INTENT is being written: that saves a wait"},
    PlantedBug{committed_before_applied, "committed_before_applied", 10,
     "a batch is committed when its turn comes, whatever its state"},
    PlantedBug{quarantine_not_in_transaction, "quarantine_not_in_transaction", 100,
     "APPLIED is written without the entities that enter quarantine; they are remembered in memory"},
    PlantedBug{batch_ids_begin_again, "batch_ids_begin_again", 100,
     "a pipeline that begins again numbers its batches from 1"},
    PlantedBug{begin_keeps_watermark, "begin_keeps_watermark", 100,
     "a pipeline that begins again keeps the watermark of the index before"},
    PlantedBug{watermark_is_high, "watermark_is_high", 10,
     "the watermark is the highest revision that was read"},
    PlantedBug{watermark_over_open_batches, "watermark_over_open_batches", 100,
     "the watermark minds gaps and forgets open batches"},
    PlantedBug{gap_before_first_row_missed, "gap_before_first_row_missed", 100,
     "gaps lie between the rows of a page; the one before its first row is forgotten"},
    PlantedBug{gap_forgotten_at_restart, "gap_forgotten_at_restart", 100,
     "gaps are not loaded from the journal"},
    PlantedBug{gap_closed_without_proof, "gap_closed_without_proof", 100,
     "what a read does not show is dead, proof or no proof"},
    PlantedBug{proof_without_bound, "proof_without_bound", 100,
     "a proof holds for all revisions, also for those that were handed out after it"},
    PlantedBug{page_older_than_proof, "page_older_than_proof", 0,
     "a page closes gaps by the proof at hand when it comes, not by the one when it was asked for",
     "no proof is asked for while a read is under way, and a read that may close gaps waits for the proof"},
    PlantedBug{gap_given_up_at_once, "gap_given_up_at_once", 100,
     "without the privilege for a proof a gap is given up at the next look"},
    PlantedBug{caught_up_without_gaps, "caught_up_without_gaps", 5'000,
     "a sync is done when it has reached the end of the history"},
    PlantedBug{stale_row_from_gap, "stale_row_from_gap", 1'000,
     "a late row is sent as it is, not as its entity's latest"},
    PlantedBug{replay_with_old_rows, "replay_with_old_rows", 1'000,
     "a replay sends the batch's rows as they are"},
    PlantedBug{no_reread_when_stale, "no_reread_when_stale", 10'000,
     "rows are sent however long they have waited"},
    PlantedBug{no_latest_after_start, "no_latest_after_start", 1'000,
     "after a start rows are read in order at once"},
    PlantedBug{rows_ahead_not_noted, "rows_ahead_not_noted", 2'000,
     "that a row was sent ahead of its turn is forgotten"},
    PlantedBug{no_answer_is_success, "no_answer_is_success", 10,
     "a request without an answer counts as taken"},
    PlantedBug{retry_only_first_failed_item, "retry_only_first_failed_item", 1'000,
     "of the items that the index was too busy for only the first is sent again"},
    PlantedBug{rejection_beats_newer_row, "rejection_beats_newer_row", 1'000,
     "a rejected row quarantines its entity although another batch has sent a newer one"},
    PlantedBug{older_row_leaves_quarantine, "older_row_leaves_quarantine", 1'000,
     "an entity leaves quarantine when any row of it is taken, also one before the rejected one"},
    PlantedBug{older_row_overwrites_quarantine, "older_row_overwrites_quarantine", 0,
     "the quarantine remembers the last rejection, not the newest row",
     "a second line of defence: a batch does not report a rejection while another open one has a newer row, and "
     "rows that come late are read as latest"},
    PlantedBug{new_index_not_noticed, "new_index_not_noticed", 100,
     "another index behind the alias is taken for the journal's"},
    PlantedBug{cut_page_taken_for_whole, "cut_page_taken_for_whole", 1'000,
     "a replay is done after its first page, although that did not cover it"},
    PlantedBug{old_answers_not_forgotten, "old_answers_not_forgotten", 1'000,
     "a pipeline that begins again still waits for answers to its former requests"},
    PlantedBug{open_batches_without_limit, "open_batches_without_limit", 10,
     "the reader does not wait for batches to be committed"},
    PlantedBug{pages_never_let_go, "pages_never_let_go", 10,
     "the rows of a batch are kept after it is committed"},
};
// clang-format on

}  // namespace

std::span<const PlantedBug> planted_bugs() {
    return bugs;
}

const PlantedBug* planted_bug_named(std::string_view name) {
    const auto found =
        std::find_if(bugs.begin(), bugs.end(), [&](const PlantedBug& bug) { return bug.name == name; });
    return found == bugs.end() ? nullptr : &*found;
}

std::string_view name_of(planted::Bug bug) {
    const auto found =
        std::find_if(bugs.begin(), bugs.end(), [&](const PlantedBug& one) { return one.bug == bug; });
    return found == bugs.end() ? std::string_view{} : found->name;
}

}  // namespace pawl::simulation
