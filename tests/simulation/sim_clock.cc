#include "tests/simulation/sim_clock.h"

#include "base/assert.h"

namespace pawl::simulation {

std::uint64_t SimRandom::below(std::uint64_t bound) {
    PAWL_ASSERT(bound >= 1);
    // SplitMix64: small, and every seed is a good one.
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return (mixed ^ (mixed >> 31)) % bound;
}

TimeMs SimRandom::between(TimeMs low, TimeMs high) {
    PAWL_ASSERT(low <= high);
    return low + static_cast<TimeMs>(below(static_cast<std::uint64_t>(high - low) + 1));
}

void SimClock::after(TimeMs delay, std::function<void()> happens) {
    PAWL_ASSERT(delay >= 0);
    to_come_.emplace(std::pair{now_ + delay, ++asked_}, std::move(happens));
}

std::optional<TimeMs> SimClock::next_time() const {
    if (to_come_.empty()) return std::nullopt;
    return to_come_.begin()->first.first;
}

void SimClock::advance_to(TimeMs time) {
    PAWL_ASSERT(time >= now_);
    PAWL_ASSERT(to_come_.empty() || time <= to_come_.begin()->first.first);
    now_ = time;
}

void SimClock::do_next() {
    PAWL_ASSERT(!to_come_.empty());
    auto next = to_come_.extract(to_come_.begin());
    now_ = next.key().first;
    next.mapped()();
}

}  // namespace pawl::simulation
