// SIGTERM and SIGINT as a question that a loop asks, not as something that interrupts it.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace pawl::ops {

// Blocks both signals in this thread and in every thread it starts from now on, and waits for them in one of
// its own. At most one at a time. Make it before any other thread.
class StopSignal {
  public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    bool asked() const { return asked_; }

    // While it lives, `wake` is called in the waiting thread at the first signal. One at a time.
    class Waker {
      public:
        Waker(StopSignal& signal, std::function<void()> wake);
        ~Waker();
        Waker(const Waker&) = delete;
        Waker& operator=(const Waker&) = delete;

      private:
        StopSignal& signal_;
    };

  private:
    void wait();

    std::mutex mutex_;
    std::function<void()> wake_;  // guarded by mutex_
    std::atomic<bool> asked_ = false;
    std::atomic<bool> ending_ = false;
    std::thread thread_;
};

}  // namespace pawl::ops
