// Where the adapters' threads leave their events for the one thread that runs the engine.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "engine/ports.h"
#include "engine/runner.h"

namespace pawl::ops {

// Bounded by construction: a pipeline has a bounded number of requests under way, each is answered once.
class EventQueue {
  public:
    void post(engine::Happened happened);

    // Ends a wait though nothing was posted.
    void wake();

    // Waits until something is there, wake() was called or the clock has passed `deadline`, and takes all
    // that is there.
    std::vector<engine::Happened> take(TimeMs deadline);

  private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::vector<engine::Happened> events_;
    bool woken_ = false;
};

// The inbox of one pipeline.
class PipelineInbox final : public engine::Inbox {
  public:
    PipelineInbox(EventQueue& queue, std::size_t pipeline) : queue_(queue), pipeline_(pipeline) {}
    void post(engine::Event event) override { queue_.post({pipeline_, std::move(event)}); }

  private:
    EventQueue& queue_;
    std::size_t pipeline_;
};

}  // namespace pawl::ops
