// The index behind an alias: found, judged, made. Asks by `call` one question after the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "engine/request.h"
#include "index/server.h"

namespace pawl::index {

// The alias's write index as it is.
struct Target {
    journal::TargetIdentity identity;
    TimeMs gc_deletes_ms = 0;
    bool is_async_durable = false;  // index.translog.durability is async: acknowledged writes may be lost
    std::string meta = {};          // the mapping's _meta as JSON; empty: it has none
    std::string block = {};         // "read_only", "write", …: an index.blocks setting that forbids writing
};

// nullopt: neither alias nor index is there. Errors, kind invalid, each with what to do: the name is a plain
// index or a data stream; the alias has several indices and no write index, or one that it must not write to;
// the index wants a routing with each document; index.gc_deletes is so short that no delete would be safe.
// Other kinds as the server says.
Result<std::optional<Target>> find_target(const Call& call, const std::string& alias);

// Makes `<alias>-<UTC time>` (config::Index::created_as) from `index.create_body`, with the alias as its
// write alias in the same step (so that of two that do this at once only one succeeds), and index.gc_deletes
// raised unless the body sets it. False: somebody else has made one meanwhile. Kind invalid: the server
// refuses the body.
Result<bool> create_target(const Call& call, const config::Index& index, TimeMs now);

// What an IndexPort's prepare() does: server, then the target, made if the config says so.
// Kind invalid too: nothing is there and `create` is not configured.
Result<engine::TargetFacts> prepare_target(const Call& call, const config::Index& index, TimeMs now);

// "lex-20261124t021504z": the time in UTC; index names are lower case.
std::string new_index_name(const std::string& begin, TimeMs now);

// The body with the alias and gc_deletes added. Kind invalid when it is no JSON object.
Result<std::string> create_body_with(const config::Index& index);

// How long a request may take so that none outlives half of gc_deletes: a stale write that comes later than
// that could raise a deleted document. The setting is lowered silently here; `check` tells.
TimeMs request_timeout_for(TimeMs configured_ms, TimeMs gc_deletes_ms);

}  // namespace pawl::index
