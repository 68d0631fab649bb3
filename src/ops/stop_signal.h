// SIGTERM and SIGINT as a question that a loop asks, not as something that interrupts it.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace pawl::ops {

// Blocks both signals in this thread and in every thread it starts from now on, and waits for them in one of
// its own. At most one at a time. Make it before any other thread.
class StopSignal {
  public:
    // `on_stop` runs once, in the waiting thread, at the first signal.
    explicit StopSignal(std::function<void()> on_stop);
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    bool asked() const { return asked_; }

  private:
    void wait();

    std::function<void()> on_stop_;
    std::atomic<bool> asked_ = false;
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

}  // namespace pawl::ops
