#include "source/server_role.h"

#include <fmt/format.h>

namespace pawl::source {

Result<ServerRole> server_role(Connection& connection) {
    // SHOW, since a server that is built without Galera does not know @@wsrep_on.
    const auto variables =
        connection.rows("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'read_only')");
    if (!variables) return std::unexpected(variables.error());
    ServerRole role;
    for (const auto& row : *variables) {
        const bool on = row[1] == "ON" || row[1] == "1";
        if (row[0] == "wsrep_on") role.galera = on;
        if (row[0] == "read_only") role.read_only = on;
    }
    const auto replicas = connection.rows("SHOW ALL SLAVES STATUS");
    if (!replicas && replicas.error().kind != ErrorKind::forbidden) return std::unexpected(replicas.error());
    role.status_hidden = !replicas.has_value();
    role.replica = replicas.has_value() && !replicas->empty();
    return role;
}

std::optional<Error> why_writers_are_hidden(const ServerRole& role, std::string_view place) {
    constexpr std::string_view advice =
        "read from the primary server of a plain replication, or use outbox mode there";
    const auto refuse = [&](std::string_view what, std::string_view whose) {
        return Error{ErrorKind::invalid,
                     fmt::format("{} is a {}: {} cannot be seen, so revision mode could miss rows", place,
                                 what, whose),
                     std::string(advice)};
    };
    if (role.galera) return refuse("Galera node", "other nodes' transactions that are still open");
    if (role.replica) return refuse("replica", "transactions that are still on their way");
    return std::nullopt;
}

Result<std::string> server_identity(Connection& connection) {
    const auto rows = connection.rows("SELECT @@hostname, @@port, @@server_id, @@datadir");
    if (!rows) return std::unexpected(rows.error());
    const auto& row = rows->at(0);
    return fmt::format("{}:{} (server_id {}, {})", row.at(0).value_or(""), row.at(1).value_or(""),
                       row.at(2).value_or(""), row.at(3).value_or(""));
}

}  // namespace pawl::source
