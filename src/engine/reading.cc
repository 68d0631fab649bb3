#include "engine/reading.h"

#include <algorithm>
#include <utility>

namespace pawl::engine {

std::optional<Reading::Asked> Reading::next(const Ledger& ledger, const std::map<BatchId, BatchWork>& works,
                                            bool room, bool tail_due, TimeMs now) const {
    for (const auto& [id, work] : works)
        if (work.needs_rows()) return Asked{request(work.owed(), true), Purpose::batch, id};
    if (!room) return std::nullopt;

    IntervalSet wanted;
    for (const auto& [entity, entry] : ledger.quarantine())
        if (entry.retry_requested) wanted.insert(entry.revision);
    if (!wanted.empty()) return Asked{request(std::move(wanted), true), Purpose::quarantine};

    const bool round_is_over = now - gaps_round_at_ >= limits_.poll_interval_ms;
    if (!ledger.gaps().empty() && (gaps_due_ || round_is_over))
        return Asked{request(gaps_to_look_at(ledger), true), Purpose::gaps};

    if (!tail_due) return std::nullopt;
    const Revision high = ledger.pipeline().high;
    if (high == journal::revision_max) return std::nullopt;
    const bool latest = high < latest_through_;
    return Asked{request(IntervalSet({Interval{high + 1, journal::revision_max}}), latest), Purpose::tail};
}

void Reading::took(const Asked& asked, const Page& page, TimeMs now) {
    switch (asked.purpose) {
        case Purpose::batch:
        case Purpose::quarantine:
            return;
        case Purpose::gaps:
            gaps_due_ = !page.complete;
            gaps_covered_ = page.complete ? 0 : page.covered_through;
            if (page.complete) gaps_round_at_ = now;
            return;
        case Purpose::tail:
            tail_complete_ = page.complete;
            if (page.complete) gaps_due_ = true;
            return;
    }
}

void Reading::reset() {
    tail_complete_ = false;
    gaps_due_ = false;
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
