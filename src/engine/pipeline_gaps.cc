// Missing revisions: asking for a proof that they are dead, and taking the dead ones out of the gaps.
#include <algorithm>

#include <fmt/core.h>

#include "base/planted.h"
#include "engine/pipeline.h"

namespace pawl::engine {

// A read that may find something missing begins after the proof that it can make use of.
bool Pipeline::waits_for_proof() {
    const bool useful = !ledger_.gaps().empty() || !reading_.tail_complete();
    if (useful && gap_closing_.wants_proof(now_)) {
        gap_closing_.asked();
        effects_.emplace_back(ProveGaps{});
    }
    return gap_closing_.under_way();
}

void Pipeline::on(const ProofAnswered& event) {
    if (!gap_closing_.under_way()) return;
    const bool was_allowed = gap_closing_.allowed();
    gap_closing_.answered(event.proof, now_);
    if (was_allowed && !gap_closing_.allowed())
        tell(Severity::warning,
             fmt::format("it cannot be proven that missing revisions are dead: {}; they are given up after "
                         "pipeline.limits.gap_grace, and a row that commits later than that is lost",
                         event.proof.reason),
             "GRANT LOCK TABLES on the database to pawl's user: it is asked for with NOWAIT, which delays "
             "nobody");
    if (!was_allowed && gap_closing_.allowed())
        tell(Severity::info, "it can be proven again that missing revisions are dead");
}

void Pipeline::on(const ProofFailed& event) {
    if (!gap_closing_.under_way()) return;
    gap_closing_.failed(now_);
    tell_now_and_then(event.error);
}

// What was asked for, lies within the proof that was at hand when it was asked for, and is not there.
Pipeline::Dead Pipeline::dead_among(const Reading::Asked& asked, const Page& page) const {
    const Revision proven =
        PAWL_PLANTED(page_older_than_proof) ? gap_closing_.proven_through() : asked.proven_through;
    const auto missing_through = [&](Revision through) {
        if (PAWL_PLANTED(gap_closed_without_proof) || (through > 0 && PAWL_PLANTED(proof_without_bound)))
            through = journal::revision_max;
        IntervalSet missing = asked.request.revisions;
        missing.erase_above(std::min(through, page.covered_through));
        missing.erase(page.seen);
        return missing;
    };
    Dead dead{.revisions = missing_through(std::max(proven, asked.given_up_through)), .unproven = {}};
    if (asked.given_up_through <= proven) return dead;
    dead.unproven = dead.revisions;
    dead.unproven.erase(missing_through(proven));
    return dead;
}

void Pipeline::close_gaps(const Dead& dead) {
    const std::uint64_t unproven = ledger_.close_gaps(dead.revisions, dead.unproven, changes_);
    if (unproven == 0) return;
    unproven_to_tell_ += unproven;
    if (unproven_told_at_ && now_ - *unproven_told_at_ < limits::notice_interval_ms) return;
    unproven_told_at_ = now_;
    tell(
        Severity::warning,
        fmt::format("{} missing revisions were given up without proof, after gap_grace",
                    std::exchange(unproven_to_tell_, 0)),
        "rows that commit later than that are not in the index, until pawl verify --repair finds and sends "
        "them: GRANT LOCK TABLES on the database to pawl's user, or make sure that no transaction takes that "
        "long");
}

}  // namespace pawl::engine
