// Who looks on while a verification runs that nobody watches: a signal ends it.
#pragma once

#include <chrono>
#include <thread>

#include "base/time.h"
#include "ops/stop_signal.h"
#include "ops/verification.h"

namespace pawl::ops {

class UntilStopped final : public VerifyWatcher {
  public:
    explicit UntilStopped(const StopSignal& stop) : stop_(stop) {}
    bool goes_on(const VerifyProgress&) override { return !stop_.asked(); }
    bool wait(TimeMs span) override {
        std::this_thread::sleep_for(std::chrono::milliseconds(span));
        return !stop_.asked();
    }

  private:
    const StopSignal& stop_;
};

}  // namespace pawl::ops
