#include "engine/gap_closing.h"

#include <algorithm>

#include "base/assert.h"
#include "base/planted.h"

namespace pawl::engine {

GapClosing::GapClosing(const Limits& limits)
    : interval_ms_(limits.poll_interval_ms),
      grace_ms_(limits.gap_grace_ms),
      backoff_(limits.retry_delay_min_ms, limits.retry_delay_max_ms) {}

void GapClosing::hurry(TimeMs now) {
    if (allowed_ && !failing_) next_at_ = std::min(next_at_, now);
}

void GapClosing::answered(const Proof& proof, TimeMs now) {
    PAWL_ASSERT(under_way_);
    under_way_ = false;
    failing_ = false;
    backoff_.reset();
    allowed_ = proof.outcome != Proof::Outcome::not_allowed;
    // A privilege that was granted meanwhile need not be noticed at once.
    next_at_ = now + (allowed_ ? interval_ms_ : limits::forbidden_retry_ms);
    if (allowed_) marks_.clear();
    if (proof.outcome == Proof::Outcome::proven && !forgotten_)
        proven_through_ = std::max(proven_through_, proof.through);
}

void GapClosing::failed(TimeMs now) {
    PAWL_ASSERT(under_way_);
    under_way_ = false;
    failing_ = true;
    next_at_ = now + std::max(interval_ms_, backoff_.next().max_ms);
    forget();
}

void GapClosing::looked_at(Revision high, TimeMs now) {
    if (allowed_) return;
    if (marks_.empty() || now - marks_.back().at >= grace_ms_ / limits::grace_marks_max)
        marks_.push_back({now, high});
    // Of those that are old enough the newest says it all.
    while (marks_.size() >= 2 && now - marks_[1].at >= grace_ms_)
        marks_.pop_front();
    PAWL_ASSERT(marks_.size() <= std::size_t{limits::grace_marks_max} + 2);
}

Revision GapClosing::given_up_through(TimeMs now) const {
    Revision through = 0;
    for (const Mark& mark : marks_)
        if (now - mark.at >= grace_ms_ || PAWL_PLANTED(gap_given_up_at_once)) through = mark.high;
    return through;
}

}  // namespace pawl::engine
