#include "engine/trouble.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::engine {

Trouble::Trouble(const Limits& limits)
    : states_{{{Backoff(limits.retry_delay_min_ms, limits.retry_delay_max_ms), false, {}},
               {Backoff(limits.retry_delay_min_ms, limits.retry_delay_max_ms), false, {}},
               {Backoff(limits.retry_delay_min_ms, limits.retry_delay_max_ms), false, {}},
               {Backoff(limits.retry_delay_min_ms, limits.retry_delay_max_ms), false, {}},
               {Backoff(limits.retry_delay_min_ms, limits.retry_delay_max_ms), false, {}}}} {}

DelayRange Trouble::failed(Lane lane, ErrorKind kind, TimeMs now) {
    State& failed = state(lane);
    failed.waiting = true;
    if (!failed.since) failed.since = now;
    const DelayRange backoff = failed.backoff.next();
    if (kind != ErrorKind::forbidden) return backoff;
    return {limits::forbidden_retry_ms / 2, limits::forbidden_retry_ms};
}

bool Trouble::succeeded(Lane lane) {
    State& succeeded = state(lane);
    if (!succeeded.since) return false;
    succeeded.backoff.reset();
    succeeded.since.reset();
    return !any();
}

bool Trouble::any() const {
    return std::any_of(states_.begin(), states_.end(),
                       [](const State& state) { return state.since.has_value(); });
}

std::optional<TimeMs> Trouble::since() const {
    std::optional<TimeMs> oldest;
    for (const State& state : states_)
        if (state.since && (!oldest || *state.since < *oldest)) oldest = state.since;
    return oldest;
}

Timer Trouble::timer_of(Lane lane) {
    switch (lane) {
        case Lane::prepare:
            return Timer::prepare_retry;
        case Lane::read:
            return Timer::read_retry;
        case Lane::send:
            return Timer::send_retry;
        case Lane::lease:
            return Timer::lease;
        case Lane::clean_up:
            return Timer::clean_up_retry;
    }
    PAWL_ASSERT(!"a lane outside the enumeration");
    return Timer::poll;
}

std::optional<Lane> Trouble::lane_of(Timer timer) {
    switch (timer) {
        case Timer::poll:
        case Timer::checkpoint:
            return std::nullopt;
        case Timer::lease:
            return Lane::lease;
        case Timer::prepare_retry:
            return Lane::prepare;
        case Timer::read_retry:
            return Lane::read;
        case Timer::send_retry:
            return Lane::send;
        case Timer::clean_up_retry:
            return Lane::clean_up;
    }
    PAWL_ASSERT(!"a timer outside the enumeration");
    return std::nullopt;
}

}  // namespace pawl::engine
