// How long to wait before trying again: doubles from a minimum to a maximum.
#pragma once

#include "base/time.h"

namespace pawl::engine {

// A range; the runner draws from it (jitter), so that many pawls do not come back at the same instant.
struct DelayRange {
    TimeMs min_ms = 0;
    TimeMs max_ms = 0;
};

class Backoff {
  public:
    // 0 < min_ms <= max_ms.
    Backoff(TimeMs min_ms, TimeMs max_ms);

    // The next delay: [d/2, d] with d = min, 2·min, 4·min … max.
    DelayRange next();
    void reset() { delay_ms_ = 0; }
    // Whether a trial has failed since the last reset.
    bool waiting() const { return delay_ms_ > 0; }

  private:
    TimeMs min_ms_;
    TimeMs max_ms_;
    TimeMs delay_ms_ = 0;  // of the last wait; 0: none yet
};

}  // namespace pawl::engine
