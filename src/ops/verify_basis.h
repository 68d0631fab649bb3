// What a comparison stands on: which index, which revision, who is left out.
#pragma once

#include <set>
#include <string>

#include "base/error.h"
#include "config/config.h"
#include "engine/request.h"
#include "index/server.h"
#include "index/target.h"

namespace pawl::ops {

// What the journal holds to be settled at this moment; or the index, where the journal says nothing of it, or
// less: then another pawl has fed it since.
struct Settled {
    // Every row at or below it is in the index, was beaten by a later one, or is left out below.
    engine::Revision revision = 0;
    std::set<std::string, std::less<>> quarantined;  // entities
    engine::IntervalSet owed;                        // revisions: the index's word, where that counts
    bool known = false;  // somebody has said so; false: nobody has ever fed this index
};

struct VerifyBasis {
    index::Target target;
    Settled settled;
    bool is_filling = false;  // outbox mode: the first fill has not come to its end
};

// `nobody_else_feeds`: as VerifyWorld has it. Errors of kind decision: the index or the journal remembers
// another source, or a history that has gone back. target_missing: there is no such alias.
Result<VerifyBasis> find_basis(const config::Config& config, const config::Pipeline& pipeline,
                               bool nobody_else_feeds, const index::Call& call);

// The same later, of the same index: never less. `before` stands where nothing new can be known.
Result<Settled> settled_now(const config::Config& config, const config::Pipeline& pipeline,
                            bool nobody_else_feeds, const index::Target& target, const Settled& before);

// Error, kind unavailable: the alias leads to another index than it did.
Result<void> is_still_behind_alias(const index::Call& call, const index::Target& target);

}  // namespace pawl::ops
