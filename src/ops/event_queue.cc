#include "ops/event_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pawl::ops {

void EventQueue::post(engine::Happened happened) {
    {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(happened));
    }
    filled_.notify_one();
}

void EventQueue::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    filled_.notify_one();
}

std::vector<engine::Happened> EventQueue::take(TimeMs deadline) {
    std::unique_lock lock(mutex_);
    const auto patience = std::chrono::milliseconds(std::max<TimeMs>(0, deadline - clock_now()));
    filled_.wait_for(lock, patience, [&] { return !events_.empty() || woken_; });
    woken_ = false;
    return std::exchange(events_, {});
}

}  // namespace pawl::ops
