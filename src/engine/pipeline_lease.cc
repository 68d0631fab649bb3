// Who feeds the pipeline: this pawl, or another one while this is its standby.
#include <algorithm>

#include <fmt/core.h>

#include "base/planted.h"
#include "engine/pipeline.h"

namespace pawl::engine {

void Pipeline::keep_lease() {
    if (!lease_.wants_to_ask() || trouble_.waiting(Lane::lease)) return;
    lease_.asked();
    effects_.emplace_back(AskLease{});
}

void Pipeline::on(const LeaseAnswered& event) {
    using Turn = LeaseKeeping::Turn;
    success(Lane::lease);
    const bool was_standby = lease_.taken_since().has_value();
    const Turn turn = lease_.answered(event.lease, now_);
    const TimeMs rest = std::max<TimeMs>(0, event.lease.asked_at + limits::lease_renew_ms - now_);
    effects_.emplace_back(SetTimer{Timer::lease, rest, rest});
    if (turn != Turn::none) begin_anew();
    if (lease_.ours() && was_standby) {
        tell(Severity::info, "has the lease now");
        ledger_.set_condition(journal::Condition::running, "", now_, changes_);
    }
    if (!lease_.ours()) stand_by(event.lease);
}

void Pipeline::on(const LeaseFailed& event) {
    if (lease_.failed() == LeaseKeeping::Turn::lost) begin_anew();
    lease_.rested();  // the lane's own timer says when it is tried again
    trouble(Lane::lease, event.error);
}

// Another pawl may feed the index from here on, or may have fed it until now. So all begins as after a start:
// with what the index remembers by then, and with latest rows up to where the history ends by then.
void Pipeline::begin_anew() {
    if (PAWL_PLANTED(lease_won_goes_on)) return;
    forget_work();
    recover_anew();
    target_.reset();
    source_asked_.forget();
    target_asked_.forget();
    checkpoint_asked_.forget();
}

void Pipeline::stand_by(const Lease& lease) {
    const std::string text =
        lease.reason.empty() ? std::string("another pawl feeds this pipeline") : lease.reason;
    if (settings_.until == Until::stopped) {
        if (ledger_.pipeline().condition != journal::Condition::standby)
            tell(Severity::info, fmt::format("standby: {}", text));
        ledger_.set_condition(journal::Condition::standby, text, now_, changes_);
        return;
    }
    if (now_ - *lease_.taken_since() < limits::lease_wait_ms) return;
    finish(Error{ErrorKind::unavailable, text,
                 "it keeps the index up to date: see its log; or stop it before this command is run"});
}

}  // namespace pawl::engine
