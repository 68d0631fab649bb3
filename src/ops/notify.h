// Tells systemd how the daemon is (sd_notify's protocol: a datagram to the socket that NOTIFY_SOCKET names).
#pragma once

#include <string_view>

namespace pawl::ops {

// `state`: "READY=1", "STOPPING=1", "STATUS=…". Without NOTIFY_SOCKET, or when nobody listens there, nothing
// happens: readiness is a courtesy.
void notify(std::string_view state);

}  // namespace pawl::ops
