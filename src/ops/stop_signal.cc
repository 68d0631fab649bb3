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

StopSignal::StopSignal() {
    const sigset_t set = awaited();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread([this] { wait(); });
}

StopSignal::~StopSignal() {
    ending_ = true;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
}

StopSignal::Waker::Waker(StopSignal& signal, std::function<void()> wake) : signal_(signal) {
    const std::lock_guard lock(signal_.mutex_);
    signal_.wake_ = std::move(wake);
}

StopSignal::Waker::~Waker() {
    const std::lock_guard lock(signal_.mutex_);
    signal_.wake_ = nullptr;
}

void StopSignal::wait() {
    const sigset_t set = awaited();
    while (!ending_) {
        int signal = 0;
        if (::sigwait(&set, &signal) != 0 || signal == SIGUSR1) continue;
        if (asked_.exchange(true)) continue;
        const std::lock_guard lock(mutex_);
        if (wake_) wake_();
    }
}

}  // namespace pawl::ops
