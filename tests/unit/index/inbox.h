// An inbox that a test can wait on.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "engine/ports.h"

namespace pawl::test {

class WaitingInbox final : public engine::Inbox {
  public:
    void post(engine::Event event) override {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(event));
        changed_.notify_all();
    }

    // Blocks until there is one. The test's own timeout is ctest's.
    engine::Event next() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !events_.empty(); });
        auto event = std::move(events_.front());
        events_.pop_front();
        return event;
    }

    bool is_empty() {
        const std::lock_guard lock(mutex_);
        return events_.empty();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<engine::Event> events_;
};

}  // namespace pawl::test
