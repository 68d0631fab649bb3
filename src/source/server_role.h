// Whether the server sees everybody who writes to its tables. On a Galera node or a replica it does not: rows
// of transactions that are open elsewhere, or still on their way, come later with lower revisions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "source/connection.h"

namespace pawl::source {

struct ServerRole {
    bool galera = false;         // wsrep_on
    bool replica = false;        // a replication from elsewhere is configured, running or not
    bool read_only = false;      // as replicas are by custom
    bool status_hidden = false;  // the account may not see whether it is a replica that is stopped

    bool may_be_replica() const { return status_hidden && read_only; }
};

// As it is now: it can change under an open connection.
Result<ServerRole> server_role(Connection& connection);

// Null where the role is no reason to refuse revision mode. `place` names the server.
std::optional<Error> why_writers_are_hidden(const ServerRole& role, std::string_view place);

// For a role of which may_be_replica() is true.
Error may_be_replica(std::string_view place, std::string_view user);

// On a node of a Galera cluster: waits until it has applied all that was committed on any node before now; so
// what a snapshot shows, and ids that are handed out, are not behind what another node has shown. It costs a
// round trip in the cluster, and what the node lags, up to its repl.causal_read_timeout. Elsewhere, and on a
// node without a majority, it does nothing. Error, kind unavailable: it lags by more than that.
Result<void> catch_up_with_cluster(Connection& connection);

// Tells servers apart that answer under one address (a proxy, a failover); for people, too.
Result<std::string> server_identity(Connection& connection);

}  // namespace pawl::source
