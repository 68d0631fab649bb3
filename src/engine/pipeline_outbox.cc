// Outbox mode: rows whose change is in the index are deleted, and what a row cannot bring to the index any
// more gets a new row, whose revision is above all others.
//
// A row that commits after rows above it were read (a late one) could lose against them in the index, though
// the state that it stands for is newer: it is never sent, but renewed. The same holds for a row that lost
// against a version which this pawl did not send, and for a row of the table that lost, or was rejected, in
// the first fill. So whatever the table holds comes to the index with a revision that nothing there has yet.
#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "engine/pipeline.h"

namespace pawl::engine {

void Pipeline::clean_up_if_due() {
    if (!has_outbox() || clean_up_.asked.under_way() || trouble_.waiting(Lane::clean_up)) return;
    if (written_ticket_ < last_ticket_ || !changes_.empty()) return;  // APPLIED may not be on disk
    if (!lease_.holds_at(now_)) return;  // another pawl may be counting on the rows that it has seen
    CleanUpRequest request{.rows_max = settings_.limits.batch_rows_max};
    request.done = ledger_.rows_to_delete();
    const Revision high = ledger_.pipeline().high;
    if (high > 0 && now_ >= clean_up_.late_next_at && !PAWL_PLANTED(late_rows_left)) {
        request.late_through = high;
        // Before any batch is committed below: what may be deleted only then is in use, and not late.
        request.known = ledger_.rows_known();
    }
    if (request.done.empty()) ledger_.rows_deleted({}, now_, changes_);  // all rows of a batch in quarantine
    for (const CleaningUp::Renewal& renewal : clean_up_.renewals) {
        if (renewal.revision > 0)
            request.renew.insert(renewal.revision);
        else
            request.entities.push_back(renewal.entity);
    }
    clean_up_.late_known = clean_up_.late_known || high == 0;
    if (request.done.empty() && clean_up_.renewals.empty() && request.late_through == 0) return;
    // `sync` is through when it has read what was there when it began: also what it has renewed of that. Rows
    // that a later look finds late have committed since. To run after them, too, would have no end while
    // others write.
    request.wants_end = settings_.until == Until::caught_up &&
                        (!clean_up_.renewals.empty() || (!clean_up_.late_known && request.late_through > 0));
    if (PAWL_PLANTED(range_deleted) && !request.done.empty())
        request.done = IntervalSet({Interval{1, request.done.highest()}});
    request.id = ++last_request_;
    clean_up_.asked.begin();
    clean_up_.since = now_;
    clean_up_.renewing = std::exchange(clean_up_.renewals, {});
    clean_up_.request = request;
    effects_.emplace_back(CleanUp{std::move(request)});
}

void Pipeline::on(const CleanedUp& event) {
    if (!clean_up_.asked.end()) return;
    success(Lane::clean_up);
    ledger_.rows_deleted(clean_up_.request.done, now_, changes_);
    forget_committed();
    if (clean_up_.request.wants_end && !PAWL_PLANTED(renewed_rows_missed)) {
        reading_.raise_end_to(event.end);
        polling_ = false;
    }
    if (clean_up_.request.late_through > 0) {
        clean_up_.late_known = clean_up_.late_known || !event.more_late;
        // Rows that are deleted and not yet purged (behind a long backup) make it slow: then it rests as
        // long.
        const TimeMs rest = std::max(settings_.limits.poll_interval_ms, now_ - clean_up_.since);
        clean_up_.late_next_at = event.more_late ? now_ : now_ + rest;
        // Or the revisions are handed out again, by an outbox that is not the one that it was.
        if (event.late > 0) history_due_ = true;
    }
    if (event.late > 0 || !clean_up_.renewing.empty()) {
        reading_.look_again();
        polling_ = false;
    }
    std::set<BatchId> batches;
    for (const CleaningUp::Renewal& renewal : std::exchange(clean_up_.renewing, {})) {
        batches.insert(renewal.batch);
        if (renewal.place)
            works_.at(renewal.batch).settle_doubt(*renewal.place);
        else
            clean_up_.new_rows[renewal.batch] = CleaningUp::NewRows::written;
    }
    for (const BatchId batch : batches)
        apply_if_acknowledged(batch);
}

// All of it is asked for again. It may have taken effect all the same, and have written rows above the end
// that `sync` reads up to: there is none then, until the next clean-up tells a new one. The rows that a look
// after the first one finds late move no end.
void Pipeline::on(const CleanUpFailed& event) {
    if (!clean_up_.asked.end()) return;
    if (clean_up_.request.wants_end && !PAWL_PLANTED(renewed_rows_missed)) {
        reading_.end_tail_at(journal::revision_max);
        clean_up_.late_known = false;
    }
    reading_.look_again();
    clean_up_.renewals.insert(clean_up_.renewals.begin(), clean_up_.renewing.begin(),
                              clean_up_.renewing.end());
    clean_up_.renewing.clear();
    history_due_ = true;
    trouble(Lane::clean_up, event.error);
}

// The history knows the version that has beaten this action.
void Pipeline::renew(BatchId batch, std::uint32_t place) {
    const Row& row = works_.at(batch).action(place);
    clean_up_.renewals.push_back({.batch = batch,
                                  .place = place,
                                  .revision = row.revision,
                                  .entity = row.revision > 0 ? std::string() : std::string(row.entity)});
}

// What the index rejects of the table gets a row in the outbox, and comes to quarantine from there: so it is
// owed wherever this journal is lost. Only what can be no document's id stays, until its row changes. True:
// the batch has to wait for these rows.
bool Pipeline::writes_rows_for(BatchId batch, std::vector<journal::QuarantineEntry>& rejected) {
    const auto has_no_id = [](const journal::QuarantineEntry& entry) {
        return entry.error.starts_with("entity_");
    };
    const auto [rows, is_first_look] = clean_up_.new_rows.emplace(batch, CleaningUp::NewRows::written);
    PAWL_ASSERT(rows->second == CleaningUp::NewRows::written);
    if (is_first_look) {
        for (const journal::QuarantineEntry& entry : rejected) {
            if (has_no_id(entry)) continue;
            clean_up_.renewals.push_back(
                {.batch = batch, .place = std::nullopt, .revision = 0, .entity = entry.entity});
            rows->second = CleaningUp::NewRows::asked_for;
        }
        if (rows->second == CleaningUp::NewRows::asked_for) return true;
    }
    clean_up_.new_rows.erase(rows);
    std::erase_if(rejected, [&](const auto& entry) { return !has_no_id(entry); });
    return false;
}

void Pipeline::forget_committed() {
    if (PAWL_PLANTED(pages_never_let_go)) return;
    std::erase_if(works_, [&](const auto& work) { return !ledger_.open_batches().contains(work.first); });
    if (works_.empty() && claimed_) success(Lane::send);  // nothing waits for the index
}

}  // namespace pawl::engine
