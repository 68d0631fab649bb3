// Ends a worker's blocking calls into Connector/C from another thread, at once and without touching the
// connection's memory: a flag, an eventfd that waits are joined with, and the socket to shut down.
#pragma once

#include <atomic>
#include <mutex>

namespace pawl::source {

class Interrupt {
  public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    // Any thread; for good. What blocks on a watched connection ends with a "lost connection".
    void trigger();
    bool triggered() const { return triggered_; }

    // The worker: the open connection's socket, from after connecting until before closing; -1 for none.
    void watch(int socket);

    // Waits for the socket. -1 timeout: for ever. 1 ready, 0 timeout, -1 triggered or broken (errno says
    // which).
    int wait(int socket, bool for_reading, int timeout_ms) const;

  private:
    std::atomic<bool> triggered_ = false;
    int event_ = -1;
    std::mutex mutex_;
    int socket_ =
        -1;  // guarded by mutex_, so that it cannot be closed and handed out again while it is shut down
};

}  // namespace pawl::source
