// Until when the threads of a pipeline may count on its lease. What is written once another pawl may have it
// is harmless where both feed one index; but a rebuild (ops/rebuild_keeping.h) relies on that a pawl which
// has lost its lease takes nothing out of the outbox any more.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "engine/limits.h"

namespace pawl::engine {

// Written by the thread that has the lease, read by any.
class LeaseTerm {
  public:
    void won(TimeMs asked_at) {
        ++number_;
        held(asked_at);
    }
    void held(TimeMs asked_at) { until_ = asked_at + limits::lease_valid_ms; }
    void lost() { until_ = 0; }

    // Of this term, or of the last one.
    std::uint64_t number() const { return number_; }
    bool lasts(std::uint64_t number, TimeMs now) const { return now < until_ && number == number_; }

  private:
    std::atomic<std::uint64_t> number_ = 0;
    std::atomic<TimeMs> until_ = 0;
};

}  // namespace pawl::engine
