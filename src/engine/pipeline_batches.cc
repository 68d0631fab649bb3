// From a page of rows to COMMITTED: reading, opening, sending, settling.
#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/planted.h"
#include "engine/coalesce.h"
#include "engine/pipeline.h"

namespace pawl::engine {
namespace {

// Of a read that goes over all that is there: what it does not show is missing.
bool may_miss_rows(Reading::Purpose purpose) {
    return purpose == Reading::Purpose::gaps || purpose == Reading::Purpose::tail ||
           purpose == Reading::Purpose::fill;
}

}  // namespace

void Pipeline::take_kept_page() {
    if (page_kept_ && lease_.holds_at(now_)) on(*std::exchange(page_kept_, std::nullopt));
}

void Pipeline::begin_read() {
    if (read_asked_ || trouble_.waiting(Lane::read)) return;
    if (history_due_ || look_up_asked_.under_way()) return;  // what it is read from is not known
    reading_.look_for_end(ledger_);
    const bool only_recover = settings_.until == Until::recovered;
    const bool room = !only_recover && (PAWL_PLANTED(open_batches_without_limit) ||
                                        ledger_.open_batches().size() < settings_.limits.batches_open_max);
    auto asked = reading_.next(ledger_, works_, room, !polling_, now_);
    if (!asked) return;
    if (!has_outbox() && may_miss_rows(asked->purpose) && waits_for_proof()) return;
    asked->request.id = ++last_request_;
    asked->proven_through = gap_closing_.proven_through();
    asked->given_up_through = gap_closing_.given_up_through(now_);
    if (asked->purpose == Reading::Purpose::fill) limit_to_fill_proof(*asked);
    if (const auto anchor = newest_anchor(); anchor && asked->purpose != Reading::Purpose::fill)
        asked->request.beside = anchor->revision;
    effects_.emplace_back(ReadPage{asked->request});
    read_asked_ = std::move(asked);
}

// What the pages of a fill show was looked up once, after the first of them was asked for: a row that has
// committed since then may be missing there, whatever was proven later.
void Pipeline::limit_to_fill_proof(Reading::Asked& asked) {
    if (PAWL_PLANTED(fill_with_later_proof)) return;
    if (!fill_proof_) fill_proof_ = asked.proven_through;
    asked.proven_through = *fill_proof_;
    asked.given_up_through = 0;
}

void Pipeline::on(const PageRead& event) {
    if (!read_asked_ || read_asked_->request.id != event.id) return;
    // All of it may go to quarantine and so be APPLIED without a request, while another pawl feeds the index.
    // It is taken once the lease is confirmed; where it is lost, nobody asks for it any more.
    if (!lease_.holds_at(now_)) {
        page_kept_ = event;
        return;
    }
    const Reading::Asked asked = *std::exchange(read_asked_, std::nullopt);
    success(Lane::read);
    if (stopping_) return;  // a batch that is opened now would only be left to the next start
    if (is_of_another_history(asked, *event.page)) return;
    reading_.took(asked, *event.page, now_);
    take_page(asked, event.page);
    if (asked.purpose == Reading::Purpose::gaps && event.page->complete)
        gap_closing_.looked_at(ledger_.pipeline().high, now_);
    if (asked.purpose == Reading::Purpose::tail && event.page->complete) {
        if (reading_.gaps_due()) gap_closing_.hurry(now_);
        polling_ = true;
        effects_.emplace_back(
            SetTimer{Timer::poll, settings_.limits.poll_interval_ms, settings_.limits.poll_interval_ms});
    }
}

bool Pipeline::is_of_another_history(const Reading::Asked& asked, const Page& page) {
    const auto anchor = newest_anchor();
    if (!anchor || asked.request.beside != anchor->revision) return false;
    const auto why = why_went_back(*anchor, ledger_.pipeline().shape, page);
    if (why) regress(TargetFact::same, *why);
    return why.has_value();
}

void Pipeline::on(const ReadFailed& event) {
    if (!read_asked_ || read_asked_->request.id != event.id) return;
    read_asked_.reset();
    gap_closing_.forget();
    history_due_ = true;
    fill_proof_ = 0;  // it may have been another server's
    trouble(Lane::read, event.error);
}

void Pipeline::take_page(const Reading::Asked& asked, const std::shared_ptr<const Page>& page) {
    note_filled(asked, *page);
    if (asked.purpose != Reading::Purpose::batch) {
        open_batch(asked, page);
        return;
    }
    const auto work = works_.find(asked.batch);
    PAWL_ASSERT(work != works_.end());
    std::vector<Row> actions = coalesce(page->rows());
    leave_to_newer(asked.batch, actions);
    note_rows_ahead(actions);
    note_anchor(*page);
    work->second.load(page, std::move(actions), now_);
    apply_if_acknowledged(asked.batch);
}

// Rows of an outbox that are read again, for a batch or from quarantine, show their entities as they are by
// now. What a newer batch has yet to send may have been read before that, and would take the entity back.
void Pipeline::leave_to_newer(BatchId batch, std::vector<Row>& actions) const {
    if (!has_outbox() || PAWL_PLANTED(reread_beats_newer_batch)) return;
    std::erase_if(actions, [&](const Row& row) {
        return std::ranges::any_of(works_, [&](const auto& other) {
            return other.first != batch && other.second.has_newer(row.entity, row.revision);
        });
    });
}

void Pipeline::open_batch(const Reading::Asked& asked, const std::shared_ptr<const Page>& page) {
    if (asked.purpose == Reading::Purpose::quarantine) {
        IntervalSet tried = asked.request.revisions;
        tried.erase_above(page->covered_through);
        ledger_.retries_begun(tried);
        if (has_outbox()) {
            tried.erase(page->seen);
            ledger_.rows_are_gone(tried, changes_);
        }
    }
    Ledger::Seen seen{.revisions = page->seen, .dead = {}, .anchor = {}};
    IntervalSet owed = page->seen;
    if (asked.purpose == Reading::Purpose::table) {
        if (page->rows().empty()) {
            if (page->complete) ledger_.end_fill(now_, changes_);
            return;
        }
        seen.fill = {page->table_through, page->rows().size(), Reading::is_end_of_table(asked, *page)};
        owed.insert(0);  // there is something to be done, though no revision of the outbox
    } else if (!has_outbox() && may_miss_rows(asked.purpose)) {
        const Dead dead = dead_among(asked, *page);
        close_gaps(dead);
        seen.dead = dead.revisions;
    }
    if (owed.empty()) return;
    std::vector<Row> actions = coalesce(page->rows());
    leave_to_newer(0, actions);
    const auto content = content_of(actions, seen.fill ? seen.fill->rows : page->seen.count());
    note_anchor(*page);
    seen.anchor = anchor_;
    const BatchId batch = ledger_.open(seen, content, settings_.limits.gaps_max, now_, changes_);
    intent_ticket_[batch] = last_ticket_ + 1;  // of the WriteJournal at the end of this step

    note_rows_ahead(actions);
    auto [work, is_new] = works_.emplace(batch, BatchWork(settings_.name, std::move(owed)));
    PAWL_ASSERT(is_new);
    work->second.load(page, std::move(actions), now_);
    apply_if_acknowledged(batch);
}

void Pipeline::note_filled(const Reading::Asked& asked, const Page& page) {
    if (!filled_ || page.rows().empty()) return;
    if (asked.purpose == Reading::Purpose::fill)
        filled_->add(page.rows());
    else
        filled_.reset();
}

// The newest row that was read: the next INTENT or APPLIED tells the journal.
void Pipeline::note_anchor(const Page& page) {
    if (!page.anchor || page.shape != ledger_.pipeline().shape) return;
    if (!anchor_ || anchor_->revision < page.anchor->revision) anchor_ = page.anchor;
}

std::optional<journal::Anchor> Pipeline::newest_anchor() const {
    const auto& journaled = ledger_.pipeline().anchors;
    if (journaled.empty() || (anchor_ && anchor_->revision > journaled.back().revision)) return anchor_;
    return journaled.back();
}

// A latest row from above high goes out ahead of its turn; older rows of its entity are still to be read.
void Pipeline::note_rows_ahead(const std::vector<Row>& actions) {
    if (PAWL_PLANTED(rows_ahead_not_noted)) return;
    if (!actions.empty() && actions.back().revision > ledger_.pipeline().high)
        reading_.latest_through(actions.back().revision);
}

void Pipeline::begin_sends() {
    if (!lease_.holds_at(now_) && !PAWL_PLANTED(sends_without_lease)) return;
    if (waits_for_claim()) return;
    for (auto& [id, work] : works_) {
        if ((intent_ticket_.contains(id) && !PAWL_PLANTED(bulk_before_intent)) || work.needs_rows()) continue;
        while (work.can_send()) {
            if (trouble_.waiting(Lane::send) || in_flight_.size() >= settings_.limits.requests_in_flight_max)
                return;
            const bool is_fill = ledger_.open_batches().at(id).fill.has_value();  // before all tombstones
            if (!is_fill && refresh_if_stale(work)) break;
            Part part = work.take(request_actions_max_);
            BulkRequest request = work.request_of(part, ++last_request_);
            request.index = target_->identity.index;
            request.begin_before = (is_fill ? now_ : work.read_at()) + stale_after();
            in_flight_.emplace(request.id, InFlight{id, std::move(part)});
            effects_.emplace_back(SendBulk{std::move(request)});
        }
    }
}

// Half of what a tombstone lives is for the rows, the other half for the request.
TimeMs Pipeline::stale_after() const {
    return std::max(limits::stale_after_min_ms, target_->gc_deletes_ms / limits::stale_divisor);
}

// A row that was read too long ago may be older than a tombstone that has expired since.
bool Pipeline::refresh_if_stale(BatchWork& work) {
    if (now_ - work.read_at() < stale_after() || PAWL_PLANTED(no_reread_when_stale)) return false;
    if (!work.in_flight()) {
        work.drop_rows();
        begin_read();
    }
    return true;
}

void Pipeline::on(const BulkAnswered& event) {
    const auto found = in_flight_.find(event.id);
    if (found == in_flight_.end()) return;
    settle(in_flight_.extract(found).mapped(), event.items);
}

void Pipeline::on(const BulkFailed& event) {
    const auto found = in_flight_.find(event.id);
    if (found == in_flight_.end()) return;
    resend(std::move(in_flight_.extract(found).mapped()), event.error);
}

void Pipeline::settle(const InFlight& sent, const std::vector<ItemResult>& items) {
    BatchWork& work = works_.at(sent.batch);
    const auto [unsettled, doubted] = work.settle(sent.part, items, now_);
    doubt(sent.batch, doubted);
    if (unsettled == nullptr) {
        success(Lane::send);
        grow_requests();
    } else if (unsettled->status == ItemStatus::target_missing) {
        lose_target({ErrorKind::target_missing, unsettled->reason});
    } else if (unsettled->status == ItemStatus::forbidden) {
        trouble(Lane::send,
                {ErrorKind::forbidden, unsettled->reason, "give pawl's user the privilege that is named"});
    } else {
        shrink_requests(sent.part.size());
        trouble(Lane::send,
                {ErrorKind::overloaded, fmt::format("the index took a part only: {}", unsettled->reason)});
    }
    apply_if_acknowledged(sent.batch);
}

// A newer version is no wonder where this pawl has sent it, or one above it. Where it has not, the history is
// asked.
void Pipeline::doubt(BatchId batch, const std::vector<BatchWork::Doubted>& doubted) {
    BatchWork& work = works_.at(batch);
    for (const auto& [place, version] : doubted) {
        const Row& row = work.action(place);
        const bool explained =
            PAWL_PLANTED(unknown_version_swallowed) || std::ranges::any_of(works_, [&](const auto& other) {
                return other.second.has_newer(row.entity, std::max(row.revision, version - 1));
            });
        if (explained)
            work.settle_doubt(place);
        else
            doubts_.push_back({batch, place, {std::string(row.entity), version}});
    }
}

void Pipeline::resend(InFlight sent, const Error& error) {
    BatchWork& work = works_.at(sent.batch);
    const bool guilty_as_a_whole = error.kind == ErrorKind::too_large || error.kind == ErrorKind::rejected;
    if (guilty_as_a_whole && sent.part.size() == 1) {
        work.reject(sent.part, {ItemStatus::rejected, std::string(name_of(error.kind)), error.message, {}},
                    now_);
        success(Lane::send);  // the index does answer
        apply_if_acknowledged(sent.batch);
        return;
    }
    if (guilty_as_a_whole) {
        if (error.kind == ErrorKind::too_large) shrink_requests(sent.part.size());
        work.split(sent.part);
        return;
    }
    if (error.kind == ErrorKind::overloaded) shrink_requests(sent.part.size());
    work.put_back(std::move(sent.part));
    if (error.kind == ErrorKind::target_missing)
        lose_target(error);
    else
        trouble(Lane::send, error);
}

// Nothing has been sent to a target that recovery has not seen yet: what is missing then is the one before
// it.
void Pipeline::lose_target(const Error& error) {
    if (!target_ || !recovered_) return;
    target_.reset();
    trouble(Lane::prepare, error);
}

void Pipeline::shrink_requests(std::size_t failed_actions) {
    request_actions_max_ =
        std::max(limits::request_actions_min, std::min(request_actions_max_, failed_actions) / 2);
    requests_since_shrink_ = 0;
}

void Pipeline::grow_requests() {
    if (request_actions_max_ >= settings_.limits.batch_rows_max) return;
    if (++requests_since_shrink_ < limits::requests_before_growth) return;
    requests_since_shrink_ = 0;
    request_actions_max_ = std::min<std::size_t>(request_actions_max_ * 2, settings_.limits.batch_rows_max);
}

void Pipeline::apply_if_acknowledged(BatchId batch) {
    const BatchWork& work = works_.at(batch);
    if (!work.acknowledged() || intent_ticket_.contains(batch)) return;
    PAWL_ASSERT(!ledger_.open_batches().at(batch).applied);
    BatchResult result = work.result(ledger_.quarantine());
    result.anchor = anchor_;
    if (ledger_.open_batches().at(batch).fill && !PAWL_PLANTED(fill_rejects_without_row) &&
        writes_rows_for(batch, result.quarantined))
        return;
    // A newer row of the entity is another batch's: that one decides, unless the index holds a version that
    // is above it, too (Pipeline::doubt).
    std::erase_if(result.quarantined, [&](const journal::QuarantineEntry& entry) {
        if (entry.error == foreign_version || PAWL_PLANTED(rejection_beats_newer_row)) return false;
        return std::any_of(works_.begin(), works_.end(), [&](const auto& other) {
            return other.first != batch && other.second.has_newer(entry.entity, entry.revision);
        });
    });
    tell_quarantined(result.quarantined);
    ledger_.apply(batch, std::move(result), now_, changes_);
    forget_committed();
    if (ledger_.quarantine().size() > settings_.limits.quarantine_max)
        stop_for_good(
            journal::Condition::quarantine_full,
            {ErrorKind::decision,
             fmt::format("more than {} entities are in quarantine", settings_.limits.quarantine_max),
             "look at: pawl quarantine list; then mend the mapping or the rows, or raise "
             "pipeline.limits.quarantine"});
}

}  // namespace pawl::engine
