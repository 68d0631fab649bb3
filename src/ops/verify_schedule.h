// The verifications that a daemon makes by itself: now and then ([verify] interval), and once after it has
// adopted an index that it did not make.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "config/config.h"
#include "index/http.h"
#include "ops/log.h"
#include "ops/verification.h"
#include "source/interrupt.h"

namespace pawl::ops {

// One thread, which verifies one pipeline after the other: the first time an interval after the start, then
// an interval after the end of the time before. It goes slowly (limits::verify_rest_factor) and heals
// nothing; the log and the record say what it has found (ops/verify_unasked.h).
class VerifySchedule final : public VerifyWatcher {
  public:
    // All must outlive it.
    VerifySchedule(const config::Config& config, index::HttpClient& http, Log& log);
    // Ends what is under way; takes milliseconds.
    ~VerifySchedule() override;
    VerifySchedule(const VerifySchedule&) = delete;
    VerifySchedule& operator=(const VerifySchedule&) = delete;

    bool goes_on(const VerifyProgress& progress) override;
    bool wait(TimeMs span) override;

  private:
    void work();
    void verify(const config::Pipeline& pipeline);

    const config::Config& config_;
    Log& log_;
    index::HttpSession session_;
    source::Interrupt interrupt_;
    TimeMs page_began_ = 0;  // the thread's

    std::mutex mutex_;
    std::condition_variable ending_;
    bool is_ending_ = false;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace pawl::ops
