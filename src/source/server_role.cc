#include "source/server_role.h"

#include <fmt/format.h>

namespace pawl::source {

namespace {

// Anybody may see how many replications run; that one is configured but stopped, not.
Result<bool> is_replication_running(Connection& connection) {
    const auto running = connection.rows("SHOW GLOBAL STATUS LIKE 'Slaves_running'");
    if (!running) return std::unexpected(running.error());
    return !running->empty() && running->front()[1].value_or("0") != "0";
}

}  // namespace

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
    if (replicas) {
        role.replica = !replicas->empty();
        return role;
    }
    const auto running = is_replication_running(connection);
    if (!running) return std::unexpected(running.error());
    role.replica = *running;
    role.status_hidden = !role.replica;
    return role;
}

Error may_be_replica(std::string_view place, std::string_view user) {
    return {ErrorKind::invalid,
            fmt::format("{} is read-only and may be a replica; the user {} may not see its replica status",
                        place, user),
            "GRANT SLAVE MONITOR ON *.* to the user, or make sure that this is no replica"};
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

Result<void> catch_up_with_cluster(Connection& connection) {
    const auto wsrep = connection.rows("SHOW SESSION VARIABLES LIKE 'wsrep_on'");
    if (!wsrep) return std::unexpected(wsrep.error());
    if (wsrep->empty() || wsrep->front()[1] != "ON") return {};
    // Without a majority it would wait for nothing; whatever comes next is told so at once (error 1047).
    const auto ready = connection.rows("SHOW GLOBAL STATUS LIKE 'wsrep_ready'");
    if (!ready) return std::unexpected(ready.error());
    if (ready->empty() || ready->front()[1] != "ON") return {};
    // Without a table: the wait is before the statement, whatever that reads.
    auto waited = connection.execute("SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1");
    if (!waited)
        return std::unexpected(
            std::move(waited.error()).within("waiting for the node to catch up with its cluster"));
    return {};
}

Result<std::string> server_identity(Connection& connection) {
    const auto rows = connection.rows("SELECT @@hostname, @@port, @@server_id, @@datadir");
    if (!rows) return std::unexpected(rows.error());
    const auto& row = rows->at(0);
    return fmt::format("{}:{} (server_id {}, {})", row.at(0).value_or(""), row.at(1).value_or(""),
                       row.at(2).value_or(""), row.at(3).value_or(""));
}

}  // namespace pawl::source
