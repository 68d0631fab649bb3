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
    if (!has_outbox() || clean_up_asked_.under_way() || trouble_.waiting(Lane::clean_up)) return;
    if (written_ticket_ < last_ticket_ || !changes_.empty()) return;  // APPLIED may not be on disk
    if (!lease_.holds_at(now_)) return;  // another pawl may be counting on the rows that it has seen
    CleanUpRequest request{.rows_max = settings_.limits.batch_rows_max};
    request.done = ledger_.rows_to_delete();
    if (request.done.empty()) ledger_.rows_deleted({}, now_, changes_);  // all rows of a batch in quarantine
    for (const Renewal& renewal : renewals_) {
        if (renewal.revision > 0)
            request.renew.insert(renewal.revision);
        else
            request.entities.push_back(renewal.entity);
    }
    const Revision high = ledger_.pipeline().high;
    if (high > 0 && now_ >= late_next_at_ && !PAWL_PLANTED(late_rows_left)) {
        request.late_through = high;
        request.known = ledger_.rows_in_use();
    }
    late_known_ = late_known_ || high == 0;
    if (request.done.empty() && renewals_.empty() && request.late_through == 0) return;
    if (PAWL_PLANTED(range_deleted) && !request.done.empty())
        request.done = IntervalSet({Interval{1, request.done.highest()}});
    request.id = ++last_request_;
    clean_up_asked_.begin();
    cleaning_since_ = now_;
    renewing_ = std::exchange(renewals_, {});
    cleaning_ = request;
    effects_.emplace_back(CleanUp{std::move(request)});
}

void Pipeline::on(const CleanedUp& event) {
    if (!clean_up_asked_.end()) return;
    success(Lane::clean_up);
    ledger_.rows_deleted(cleaning_.done, now_, changes_);
    forget_committed();
    raise_end(event);
    if (cleaning_.late_through > 0) {
        late_known_ = late_known_ || !event.more_late;
        // Rows that are deleted and not yet purged (behind a long backup) make it slow: then it rests as
        // long.
        const TimeMs rest = std::max(settings_.limits.poll_interval_ms, now_ - cleaning_since_);
        late_next_at_ = event.more_late ? now_ : now_ + rest;
        // Or the revisions are handed out again, by an outbox that is not the one that it was.
        if (event.late > 0) history_due_ = true;
    }
    if (event.late > 0 || !renewing_.empty()) {
        reading_.look_again();
        polling_ = false;
    }
    std::set<BatchId> batches;
    for (const Renewal& renewal : std::exchange(renewing_, {})) {
        batches.insert(renewal.batch);
        if (renewal.place)
            works_.at(renewal.batch).settle_doubt(*renewal.place);
        else
            new_rows_[renewal.batch] = NewRows::written;
    }
    for (const BatchId batch : batches)
        apply_if_acknowledged(batch);
}

// `sync` is through when it has read what was there when it began: also what it has renewed of that. Late
// rows that a later look finds committed after it began. To run after them, too, would have no end while
// others write.
void Pipeline::raise_end(const CleanedUp& event) {
    if (settings_.until != Until::caught_up || PAWL_PLANTED(renewed_rows_missed)) return;
    if (late_known_ && renewing_.empty()) return;
    reading_.raise_end_to(event.end);
    polling_ = false;
}

// All of it is asked for again. It may have taken effect, with rows above any end that is known: the next
// look for late rows tells a new one.
void Pipeline::on(const CleanUpFailed& event) {
    if (!clean_up_asked_.end()) return;
    renewals_.insert(renewals_.begin(), renewing_.begin(), renewing_.end());
    renewing_.clear();
    history_due_ = true;
    late_known_ = false;
    if (!PAWL_PLANTED(renewed_rows_missed)) {
        reading_.end_tail_at(journal::revision_max);
        reading_.look_again();
    }
    trouble(Lane::clean_up, event.error);
}

// The history knows the version that has beaten this action.
void Pipeline::renew(BatchId batch, std::uint32_t place) {
    const Row& row = works_.at(batch).action(place);
    renewals_.push_back({.batch = batch,
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
    const auto [rows, is_first_look] = new_rows_.emplace(batch, NewRows::written);
    if (rows->second == NewRows::asked_for) return true;
    if (is_first_look) {
        for (const journal::QuarantineEntry& entry : rejected) {
            if (has_no_id(entry)) continue;
            renewals_.push_back(
                {.batch = batch, .place = std::nullopt, .revision = 0, .entity = entry.entity});
            rows->second = NewRows::asked_for;
        }
        if (rows->second == NewRows::asked_for) return true;
    }
    new_rows_.erase(rows);
    std::erase_if(rejected, [&](const auto& entry) { return !has_no_id(entry); });
    return false;
}

void Pipeline::forget_committed() {
    if (PAWL_PLANTED(pages_never_let_go)) return;
    std::erase_if(works_, [&](const auto& work) { return !ledger_.open_batches().contains(work.first); });
    if (works_.empty()) success(Lane::send);  // nothing waits for the index
}

}  // namespace pawl::engine
