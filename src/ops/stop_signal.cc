#include "ops/stop_signal.h"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace pawl::ops {
namespace {

// SIGUSR1 is how the destructor wakes the thread.
sigset_t awaited() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    return set;
}

}  // namespace

StopSignal::StopSignal(std::function<void()> on_stop) : on_stop_(std::move(on_stop)) {
    const sigset_t set = awaited();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread([this] { wait(); });
}

StopSignal::~StopSignal() {
    ending_ = true;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
}

void StopSignal::wait() {
    const sigset_t set = awaited();
    while (!ending_) {
        int signal = 0;
        if (::sigwait(&set, &signal) != 0 || signal == SIGUSR1) continue;
        if (asked_.exchange(true)) continue;
        on_stop_();
    }
}

}  // namespace pawl::ops
