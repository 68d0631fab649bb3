// Mistakes that a test build can switch on one at a time, to show that the simulation would find them. What
// each is and how soon it is found stands in tests/simulation/planted_bugs.cc.
//
// Compiled in only with PAWL_PLANTED_BUGS, which only the simulation's own copy of the engine is built with
// (tools/tidy looks). Anywhere else PAWL_PLANTED is the constant false.
#pragma once

#ifdef PAWL_PLANTED_BUGS

namespace pawl::planted {

enum class Bug {
    none,
    // what goes into the journal, and when
    bulk_before_intent,
    committed_before_applied,
    quarantine_not_in_transaction,
    batch_ids_begin_again,
    begin_keeps_watermark,
    // the watermark and the gaps
    watermark_is_high,
    watermark_over_open_batches,
    gap_before_first_row_missed,
    gap_forgotten_at_restart,
    gap_closed_without_proof,
    proof_without_bound,
    page_older_than_proof,
    gap_given_up_at_once,
    caught_up_without_gaps,
    // which rows are sent
    stale_row_from_gap,
    replay_with_old_rows,
    no_reread_when_stale,
    no_latest_after_start,
    rows_ahead_not_noted,
    // what the index answers
    no_answer_is_success,
    retry_only_first_failed_item,
    rejection_beats_newer_row,
    older_row_leaves_quarantine,
    older_row_overwrites_quarantine,
    // recovery and restarts
    new_index_not_noticed,
    cut_page_taken_for_whole,
    old_answers_not_forgotten,
    // what the index remembers, who may feed it
    checkpoint_is_high,
    checkpoint_forgets_quarantine,
    anchor_not_checked,
    unknown_version_swallowed,
    sends_without_lease,
    lease_won_goes_on,
    fill_with_later_proof,
    // a rebuild
    swap_before_catch_up,
    swap_without_comparison,
    old_index_dropped_before_swap,
    no_catch_up_after_swap,
    half_filled_taken_as_filled,
    half_filled_for_other_config,
    late_swap_not_shut_out,
    rows_kept_after_fill,
    ids_not_raised,
    replaced_not_told,
    kept_rows_not_handed_over,
    kept_rows_dropped_early,
    kept_rows_dropped_at_once,
    clean_up_without_lease,
    kept_ids_begin_low,
    // the outbox
    deleted_before_applied,
    late_rows_left,
    range_deleted,
    unknown_version_not_renewed,
    fill_ends_early,
    fill_begins_late,
    quarantined_rows_deleted,
    fill_rejects_without_row,
    renewed_rows_missed,
    lacking_index_taken_up,
    reread_beats_newer_batch,
    gone_rows_stay_in_quarantine,
    fill_of_another_pawl_taken_for_done,
    document_of_earlier_snapshot,
    version_of_whole_outbox,
    // limits
    open_batches_without_limit,
    pages_never_let_go,
    count_of_them,
};

inline Bug chosen = Bug::none;  // before anything runs

}  // namespace pawl::planted

#define PAWL_PLANTED(bug) (::pawl::planted::chosen == ::pawl::planted::Bug::bug)

#else

#define PAWL_PLANTED(bug) false

#endif
