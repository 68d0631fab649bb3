#pragma once

#include <pthread.h>

#include <csignal>

namespace pawl::source {

// For the source's threads. Signals are the main thread's; and a write to a closed TLS connection must be an
// error here, not the end.
inline void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace pawl::source
