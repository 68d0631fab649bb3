// Which privileges pawl's user lacks, asked where the server can tell (Elasticsearch with security).
#pragma once

#include <string>
#include <vector>

#include "engine/effect.h"
#include "index/server.h"

namespace pawl::index {

struct PrivilegeQuestion {
    std::string alias;
    std::string live_index = {};  // behind the alias; empty: there is none yet
    bool may_create = false;      // pawl makes indices "<alias>-<UTC time>": the first, and with rebuild
};

// Nothing where the server does not know the question. Warnings are for what only some commands need.
std::vector<engine::Notice> missing_privileges(const Call& call, const PrivilegeQuestion& question);

}  // namespace pawl::index
