#include "tests/simulation/planted_bugs.h"

#include <algorithm>
#include <array>

namespace pawl::simulation {
namespace {

using enum planted::Bug;

// Of those about the outbox the mistake is in how its rows, or the table's, are dealt with.
constexpr PlantedBug of_outbox(planted::Bug bug, std::string_view name, std::uint32_t schedules_max,
                               std::string_view mistake, std::string_view why_not_found = {}) {
    return {bug, name, schedules_max, mistake, why_not_found, journal::SourceMode::outbox};
}

constexpr PlantedBug of_kept_rows(planted::Bug bug, std::string_view name, std::uint32_t schedules_max,
                                  std::string_view mistake, std::string_view why_not_found = {}) {
    PlantedBug planted = of_outbox(bug, name, schedules_max, mistake, why_not_found);
    planted.in_rebuild = true;
    return planted;
}

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
    PlantedBug{caught_up_without_gaps, "caught_up_without_gaps", 20'000,
     "a sync is done when it has reached the end of the history"},
    PlantedBug{stale_row_from_gap, "stale_row_from_gap", 1'000,
     "a late row is sent as it is, not as its entity's latest"},
    PlantedBug{replay_with_old_rows, "replay_with_old_rows", 1'000,
     "a replay sends the batch's rows as they are"},
    PlantedBug{no_reread_when_stale, "no_reread_when_stale", 40'000,
     "rows are sent however long they have waited"},
    PlantedBug{no_latest_after_start, "no_latest_after_start", 1'000,
     "after a start rows are read in order at once"},
    PlantedBug{rows_ahead_not_noted, "rows_ahead_not_noted", 20'000,
     "that a row was sent ahead of its turn is forgotten"},
    PlantedBug{no_answer_is_success, "no_answer_is_success", 200,
     "a request without an answer counts as taken"},
    PlantedBug{retry_only_first_failed_item, "retry_only_first_failed_item", 1'000,
     "of the items that the index was too busy for only the first is sent again"},
    PlantedBug{rejection_beats_newer_row, "rejection_beats_newer_row", 20'000,
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
    PlantedBug{checkpoint_is_high, "checkpoint_is_high", 100,
     "the index remembers the highest revision that was read"},
    PlantedBug{checkpoint_forgets_quarantine, "checkpoint_forgets_quarantine", 1'000,
     "what is in quarantine counts as held by the index"},
    PlantedBug{anchor_not_checked, "anchor_not_checked", 1'000,
     "that the history is the same one is believed, not looked up"},
    PlantedBug{unknown_version_swallowed, "unknown_version_swallowed", 10'000,
     "a 409 counts as taken although its version is no revision of the history"},
    PlantedBug{sends_without_lease, "sends_without_lease", 10'000,
     "a pawl that has won the lease once sends without looking whether it still has it"},
    PlantedBug{lease_won_goes_on, "lease_won_goes_on", 0,
     "a pawl that wins its lease back goes on where it was",
     "versions make it harmless; it was found only by a mistake of the model; unit_engine has a test"},
    PlantedBug{fill_with_later_proof, "fill_with_later_proof", 0,
     "what a fill does not show is dead by the proof at hand, also by one that is newer than its scan",
     "the fill of so short a history is over before the next proof; unit_engine has a test"},
    PlantedBug{.bug = swap_before_catch_up, .name = "swap_before_catch_up", .schedules_max = 1'000,
     .mistake = "what came while the new index was compared can wait until it is swapped", .in_rebuild = true},
    PlantedBug{.bug = swap_without_comparison, .name = "swap_without_comparison", .schedules_max = 300,
     .mistake = "what the server has acknowledged is in the new index", .in_rebuild = true},
    PlantedBug{.bug = old_index_dropped_before_swap, .name = "old_index_dropped_before_swap", .schedules_max = 100,
     .mistake = "the old index makes room before the alias is swapped", .in_rebuild = true},
    PlantedBug{.bug = no_catch_up_after_swap, .name = "no_catch_up_after_swap", .schedules_max = 1'000,
     .mistake = "a rebuild is done when the alias is swapped", .in_rebuild = true},
    PlantedBug{.bug = half_filled_taken_as_filled, .name = "half_filled_taken_as_filled", .schedules_max = 100,
     .mistake = "an index that an earlier call has begun to fill is full", .in_rebuild = true},
    PlantedBug{.bug = half_filled_for_other_config, .name = "half_filled_for_other_config", .schedules_max = 300,
     .mistake = "an index that was begun with another config can be gone on with", .in_rebuild = true},
    of_kept_rows(late_swap_not_shut_out, "late_swap_not_shut_out", 0,
     "what a dead call has asked for is done, or never will be",
     "once in 88,388 schedules, which is in regressions/"),
    of_kept_rows(rows_kept_after_fill, "rows_kept_after_fill", 300,
     "what is deleted from the outbox while the new index is filled need not be kept: the table has it"),
    of_kept_rows(ids_not_raised, "ids_not_raised", 1'000,
     "the outbox's ids are above those of the kept rows, since these come from it"),
    of_kept_rows(replaced_not_told, "replaced_not_told", 100,
     "the daemon takes up whatever its alias leads to"),
    of_kept_rows(kept_rows_not_handed_over, "kept_rows_not_handed_over", 300,
     "the new index has all that was kept: it has just caught up"),
    of_kept_rows(kept_rows_dropped_early, "kept_rows_dropped_early", 3'000,
     "once the alias is swapped nobody feeds the old index"),
    of_kept_rows(kept_rows_dropped_at_once, "kept_rows_dropped_at_once", 0,
     "when a pawl has taken the new index up nobody deletes rows for the old one any more",
     "a pawl must sleep in the middle of a clean-up while a rebuild ends: not once in 30,000 schedules"),
    of_kept_rows(clean_up_without_lease, "clean_up_without_lease", 0,
     "what was begun with the lease may be committed without it",
     "the same: once in 28,127 schedules"),
    of_kept_rows(kept_ids_begin_low, "kept_ids_begin_low", 10'000,
     "the ids of kept rows begin with 1, as those of any new table"),
    of_outbox(deleted_before_applied, "deleted_before_applied", 10,
     "a row is deleted as soon as its INTENT is durable"),
    of_outbox(late_rows_left, "late_rows_left", 10,
     "what commits late is not looked for: it has the lowest ids, so the next read would see it"),
    of_outbox(range_deleted, "range_deleted", 100,
     "rows are deleted up to the highest one that is done"),
    of_outbox(unknown_version_not_renewed, "unknown_version_not_renewed", 0,
     "a row that is beaten by a version which was handed out once counts as taken",
     "what is in the outbox when an index is taken up is renewed, so it beats whatever another pawl has sent"),
    of_outbox(fill_ends_early, "fill_ends_early", 500,
     "a page of the table that is not full is the last one"),
    of_outbox(fill_begins_late, "fill_begins_late", 1'000,
     "the table is read when the outbox has been read"),
    of_outbox(quarantined_rows_deleted, "quarantined_rows_deleted", 100,
     "the rows of a batch are deleted when it is APPLIED, those that the index rejects too"),
    of_outbox(fill_rejects_without_row, "fill_rejects_without_row", 200,
     "what the index rejects of the table is remembered in the journal only"),
    of_outbox(renewed_rows_missed, "renewed_rows_missed", 3'000,
     "a clean-up that fails has written no rows"),
    of_outbox(lacking_index_taken_up, "lacking_index_taken_up", 3'000,
     "an index from a snapshot is taken for what it says of itself"),
    of_outbox(reread_beats_newer_batch, "reread_beats_newer_batch", 10'000,
     "a batch that is read again is sent whole, also what a newer batch is about to send as it was before"),
    of_outbox(gone_rows_stay_in_quarantine, "gone_rows_stay_in_quarantine", 0,
     "an entity leaves quarantine when its document is taken, by whichever pawl",
     "its row is renewed when an index is taken up, and the new one is read and settled by this pawl"),
    of_outbox(fill_of_another_pawl_taken_for_done, "fill_of_another_pawl_taken_for_done", 20'000,
     "a pawl that has fed the index further has filled it too"),
    of_outbox(document_of_earlier_snapshot, "document_of_earlier_snapshot", 10,
     "documents are read in one snapshot, ids in a later one"),
    of_outbox(version_of_whole_outbox, "version_of_whole_outbox", 100,
     "the version is the highest id of the entity in the outbox, not on the page"),
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
