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

    IntervalSet wanted;
    for (const auto& [entity, entry] : ledger.quarantine())
        if (entry.retry_requested) wanted.insert(entry.revision);
    if (!wanted.empty()) return Asked{request(std::move(wanted), true), Purpose::quarantine};

    const Revision high = ledger.pipeline().high;
    const bool tail_wanted = tail_due && high < journal::revision_max;
    const bool gaps_wanted = !ledger.gaps().empty() && (gaps_due_ || now >= gaps_next_at_);
    // In turn: a long round over merged gaps must not hold up what is new.
    if (gaps_wanted && !(tail_wanted && gaps_read_last_))
        return Asked{request(gaps_to_look_at(ledger), !PAWL_PLANTED(stale_row_from_gap)), Purpose::gaps};
    if (!tail_wanted) return std::nullopt;
    const bool latest = high < latest_through_;
    return Asked{request(IntervalSet({Interval{high + 1, journal::revision_max}}), latest), Purpose::tail};
}

void Reading::took(const Asked& asked, const Page& page, TimeMs now) {
    switch (asked.purpose) {
        case Purpose::batch:
        case Purpose::quarantine:
            return;
        case Purpose::gaps:
            if (gaps_covered_ == 0) gaps_round_began_ = page.read_at;
            gaps_due_ = !page.complete;
            gaps_read_last_ = true;
            gaps_covered_ = page.complete ? 0 : page.covered_through;
            // As long a rest as the round was long: gaps that are many must not take all of the time.
            if (page.complete)
                gaps_next_at_ = now + std::max(limits_.poll_interval_ms, now - gaps_round_began_);
            return;
        case Purpose::tail:
            if (page.complete && !tail_complete_) gaps_due_ = true;
            tail_complete_ = page.complete;
            gaps_read_last_ = false;
            return;
    }
}

void Reading::reset() {
    tail_complete_ = false;
    gaps_due_ = false;
    gaps_read_last_ = false;
    gaps_covered_ = 0;
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
    if (gaps_covered_ > 0) wanted.erase(IntervalSet({Interval{0, gaps_covered_}}));
    // Everything left was covered in this round or filled since: a new round begins.
    return wanted.empty() ? ledger.gaps() : wanted;
}

}  // namespace pawl::engine
