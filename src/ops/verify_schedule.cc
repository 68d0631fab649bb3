#include "ops/verify_schedule.h"

#include <algorithm>
#include <chrono>

#include "base/time.h"
#include "ops/limits.h"
#include "ops/verify_unasked.h"

namespace pawl::ops {

VerifySchedule::VerifySchedule(const config::Config& config, index::HttpClient& http, Log& log)
    : config_(config), log_(log), session_(http) {
    thread_ = std::thread([this] { work(); });
}

VerifySchedule::~VerifySchedule() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    ending_.notify_all();
    interrupt_.trigger();
    session_.close();
    thread_.join();
}

bool VerifySchedule::wait(TimeMs span) {
    std::unique_lock lock(mutex_);
    const bool ending =
        ending_.wait_for(lock, std::chrono::milliseconds(span), [this] { return is_ending_; });
    page_began_ = clock_now();
    return !ending;
}

bool VerifySchedule::goes_on(const VerifyProgress&) {
    const TimeMs took = clock_now() - page_began_;
    return wait(std::clamp<TimeMs>(took * limits::verify_rest_factor, 0, limits::verify_rest_max_ms));
}

void VerifySchedule::work() {
    const TimeMs interval = config_.verify.interval_ms;  // 0: never
    TimeMs next_at = clock_now() + interval;
    while (wait(limits::adoption_look_ms)) {
        const bool is_time = interval > 0 && clock_now() >= next_at;
        for (const config::Pipeline& pipeline : config_.pipelines)
            if (wait(0) && (is_time || is_adoption_due(config_, pipeline))) verify(pipeline);
        if (is_time) next_at = clock_now() + interval;
    }
}

void VerifySchedule::verify(const config::Pipeline& pipeline) {
    const VerifyWorld world{
        .config = config_,
        .pipeline = pipeline,
        .call = [this](index::HttpRequest request) { return session_.call(std::move(request)); },
        .interrupt = interrupt_,
        .watcher = *this};
    verify_unasked(world, log_);
}

}  // namespace pawl::ops
