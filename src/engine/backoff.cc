#include "engine/backoff.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::engine {

Backoff::Backoff(TimeMs min_ms, TimeMs max_ms) : min_ms_(min_ms), max_ms_(max_ms) {
    PAWL_ASSERT(min_ms > 0);
    PAWL_ASSERT(min_ms <= max_ms);
}

DelayRange Backoff::next() {
    delay_ms_ =
        delay_ms_ == 0 ? min_ms_ : std::min(max_ms_, delay_ms_ > max_ms_ / 2 ? max_ms_ : delay_ms_ * 2);
    return {delay_ms_ - delay_ms_ / 2, delay_ms_};
}

}  // namespace pawl::engine
