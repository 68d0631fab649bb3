#include "engine/reading.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"

namespace pawl::engine {

std::optional<Reading::Asked> Reading::next(const Ledger& ledger, const std::map<BatchId, BatchWork>& works,
                                            bool room, bool tail_due, TimeMs now) const {
    for (const auto& [id, work] : works)
        if (work.needs_rows())
            return Asked{request(work.owed(), !PAWL_PLANTED(replay_with_old_rows)), Purpose::batch, id};
    if (!room) return std::nullopt;
    if (const auto& fill = ledger.pipeline().fill;
        fill && !(PAWL_PLANTED(fill_begins_late) && !tail_complete_))
        return next_of_table(*fill);

    IntervalSet wanted;
    for (const auto& [entity, entry] : ledger.quarantine())
        if (entry.retry_requested && entry.revision > 0) wanted.insert(entry.revision);
    if (!wanted.empty()) return Asked{request(std::move(wanted), true), Purpose::quarantine};

    const Revision high = ledger.pipeline().high;
    wanted = repairs_;
    wanted.erase_above(high);  // those come by themselves
    if (!wanted.empty()) return Asked{request(std::move(wanted), true), Purpose::repair};

    const bool tail_wanted = tail_due && high < tail_end_;
    const bool gaps_wanted = !ledger.gaps().empty() && (gap_round_.due || now >= gap_round_.next_at);
    // In turn: a long round over merged gaps must not hold up what is new.
    if (gaps_wanted && !(tail_wanted && gaps_read_last_))
        return Asked{request(gaps_to_look_at(ledger), !PAWL_PLANTED(stale_row_from_gap)), Purpose::gaps};
    if (!tail_wanted) return std::nullopt;
    if (high < fill_through_) {
        Asked asked{request(IntervalSet({Interval{high + 1, fill_through_}}), false), Purpose::fill};
        asked.request.fill = true;
        return asked;
    }
    const bool latest = high < latest_through_;
    Asked asked{request(IntervalSet({Interval{high + 1, tail_end_}}), latest), Purpose::tail};
    asked.looks = looks_;
    return asked;
}

// Nothing else is read before the fill has come to its end: no row of it may come after its entity's
// tombstone.
std::optional<Reading::Asked> Reading::next_of_table(const journal::Fill& fill) const {
    if (table_read_) return std::nullopt;
    Asked asked{request({}, false), Purpose::table};
    asked.request.table_after = table_after_.value_or(fill.after);
    return asked;
}

void Reading::took(const Asked& asked, const Page& page, TimeMs now) {
    switch (asked.purpose) {
        case Purpose::batch:
        case Purpose::quarantine:
            return;
        case Purpose::repair:
            repairs_.erase_through(page.complete ? journal::revision_max : page.covered_through);
            return;
        case Purpose::table:
            if (!page.table_through.empty()) table_after_ = page.table_through;  // a view may hide all of it
            table_read_ = is_end_of_table(asked, page);
            return;
        case Purpose::fill:
            if (page.complete) fill_through_ = 0;
            gaps_read_last_ = false;
            return;
        case Purpose::gaps:
            if (gap_round_.covered == 0) gap_round_.began = page.read_at;
            gap_round_.due = !page.complete;
            gaps_read_last_ = true;
            gap_round_.covered = page.complete ? 0 : page.covered_through;
            // As long a rest as the round was long: gaps that are many must not take all of the time.
            if (page.complete)
                gap_round_.next_at = now + std::max(limits_.poll_interval_ms, now - gap_round_.began);
            return;
        case Purpose::tail:
            if (page.complete && asked.looks == looks_)
                see_end();
            else
                tail_complete_ = false;
            gaps_read_last_ = false;
            return;
    }
}

bool Reading::is_end_of_table(const Asked& asked, const Page& page) {
    return page.complete || (PAWL_PLANTED(fill_ends_early) && page.rows().size() < asked.request.rows_max);
}

void Reading::see_end() {
    if (!tail_complete_) gap_round_.due = true;
    tail_complete_ = true;
}

void Reading::reset() {
    table_after_.reset();
    table_read_ = false;
    fill_through_ = 0;
    tail_end_ = journal::revision_max;
    tail_complete_ = false;
    gap_round_.due = false;
    gaps_read_last_ = false;
    gap_round_.covered = 0;
}

ReadRequest Reading::request(IntervalSet revisions, bool latest) const {
    return {.id = 0,
            .revisions = std::move(revisions),
            .rows_max = limits_.batch_rows_max,
            .bytes_max = limits_.batch_bytes_max,
            .latest = latest};
}

IntervalSet Reading::gaps_to_look_at(const Ledger& ledger) const {
    IntervalSet wanted = ledger.gaps();
    wanted.erase_through(gap_round_.covered);
    // Everything left was covered in this round or filled since: a new round begins.
    return wanted.empty() ? ledger.gaps() : wanted;
}

}  // namespace pawl::engine
