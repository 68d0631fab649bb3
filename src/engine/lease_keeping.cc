#include "engine/lease_keeping.h"

#include <utility>

#include "engine/limits.h"

namespace pawl::engine {

LeaseKeeping::Turn LeaseKeeping::answered(const Lease& lease, TimeMs now) {
    asking_.end();
    resting_ = true;
    if (lease.outcome == Lease::Outcome::taken) {
        if (!taken_since_) taken_since_ = now;
        return std::exchange(ours_, false) ? Turn::lost : Turn::none;
    }
    taken_since_.reset();
    valid_until_ = lease.asked_at + limits::lease_valid_ms;
    const bool before = std::exchange(ours_, true);
    return before && lease.outcome == Lease::Outcome::held ? Turn::none : Turn::won;
}

LeaseKeeping::Turn LeaseKeeping::failed() {
    asking_.end();
    resting_ = true;
    return std::exchange(ours_, false) ? Turn::lost : Turn::none;
}

}  // namespace pawl::engine
