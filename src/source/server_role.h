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

// Tells servers apart that answer under one address (a proxy, a failover); for people, too.
Result<std::string> server_identity(Connection& connection);

}  // namespace pawl::source
