#include "source/view_connection.h"

#include <utility>

#include <fmt/format.h>

#include "source/server_role.h"

namespace pawl::source {

Result<ViewConnection> ViewConnection::open(config::MariaDb settings, Interrupt& interrupt) {
    auto connection = Connection::open(settings, interrupt);
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto server = server_identity(*connection);
    if (!server) return std::unexpected(std::move(server.error()));
    return ViewConnection(std::move(settings), interrupt, std::move(*connection), std::move(*server));
}

Result<Connection*> ViewConnection::get() {
    if (connection_.is_open()) return &connection_;
    auto opened = Connection::open(settings_, *interrupt_);
    if (!opened) return std::unexpected(std::move(opened.error()));
    auto server = server_identity(*opened);
    if (!server) return std::unexpected(std::move(server.error()));
    connection_ = std::move(*opened);
    if (*server == server_) return &connection_;
    return fail(ErrorKind::unavailable,
                fmt::format("{} is another server now: {}, not {}", connection_.place(), *server, server_),
                "run it again");
}

}  // namespace pawl::source
