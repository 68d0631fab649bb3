#include "source/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/assert.h"

namespace pawl::source {

Interrupt::Interrupt() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    PAWL_ASSERT(event_ >= 0);
}

Interrupt::~Interrupt() {
    ::close(event_);
}

void Interrupt::trigger() {
    triggered_ = true;
    ::eventfd_write(event_, 1);
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

void Interrupt::watch(int socket) {
    const std::lock_guard lock(mutex_);
    socket_ = socket;
    if (triggered_ && socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

int Interrupt::wait(int socket, bool for_reading, int timeout_ms) const {
    std::array<pollfd, 2> watched{};
    watched[0] = {.fd = socket, .events = static_cast<short>(for_reading ? POLLIN : POLLOUT), .revents = 0};
    watched[1] = {.fd = event_, .events = POLLIN, .revents = 0};
    int ready = 0;
    do {
        ready = ::poll(watched.data(), watched.size(), timeout_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) errno = ETIMEDOUT;
    if (ready <= 0) return ready;
    if (watched[1].revents != 0) {
        errno = ECANCELED;
        return -1;
    }
    return 1;
}

}  // namespace pawl::source
