// What `pawl rebuild` asks of the search server, step by step. All by `call`, one question after the other;
// none of it writes documents. Errors are the server's: forbidden names what is missing, unavailable may be
// tried again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "config/config.h"
#include "index/server.h"
#include "index/target.h"

namespace pawl::index {

// "lex-pawl-rebuild": the alias behind which a rebuild fills the new index, until it is done. That this alias
// is there is all that says that a rebuild has begun.
std::string rebuild_alias(const std::string& alias);

// The index of a rebuild as the engine's port wants it: behind that alias, called "lex-<UTC time>", with the
// settings of index/loading_settings.h.
Result<config::Index> rebuild_target(const config::Index& index);

// What is there at present.
struct RebuildIndices {
    std::optional<Target> live;   // behind the pipeline's alias
    std::optional<Target> fresh;  // behind the rebuild's; the same index as `live` once the alias is swapped
    bool swapped() const { return live && fresh && live->identity.uuid == fresh->identity.uuid; }
};
Result<RebuildIndices> find_rebuild(const Call& call, const std::string& alias);
// The same for who goes on with a rebuild, or gives it up: no swap that an earlier call has asked for takes
// effect from now on.
Result<RebuildIndices> take_over_rebuild(const Call& call, const std::string& alias);

// Gives the index its own settings back, makes all that it holds durable and searchable, and waits until
// replicas that can be made are there; at most limits::replicas_wait_max_ms for those, since a cluster may
// have no room for them, and only until `stop`.
Result<void> finish_loading(const Call& call, const config::Index& index, const std::string& name,
                            const std::function<bool()>& stop);

// Of an index, once all that was taken can be found.
Result<std::uint64_t> count_documents(const Call& call, const std::string& index);

// The same with the sum of their versions. Empty: the server does not sum versions (OpenSearch does not), or
// the sum is larger than its numbers are exact.
struct Sums {
    std::uint64_t documents = 0;
    std::optional<std::uint64_t> versions;
};
Result<Sums> sum_versions(const Call& call, const std::string& index);

// Whether swap_alias will be allowed to: takes all aliases from the index and gives them back in one step,
// with an alias of the kind that permits a swap (there is none yet). That leaves everything as it was.
// Nothing but this shows it on every server.
Result<void> rehearse_swap(const Call& call, const std::string& alias, const std::string& live);

// All aliases of `live`, not only the pipeline's, lead to `fresh` from now on, in one step. Nothing is
// changed when one of them has been moved meanwhile, nor when the rebuild was taken over: the step takes an
// alias from `fresh` that was given to it right before, "lex-pawl-rebuild-swap-<now>", and
// take_over_rebuild() takes all of those. So a request that outlives its call in some queue does nothing.
Result<void> swap_alias(const Call& call, const std::string& alias, const std::string& live,
                        const std::string& fresh, TimeMs now);

// Takes the rebuild's aliases from the index: the rebuild is over.
Result<void> forget_rebuild(const Call& call, const std::string& alias, const std::string& index);

// Deletes an index that nobody reads any more, or yet, in one step with finding that the pipeline's alias
// leads to `live`, another one: else nothing is changed, whenever the request arrives. One that is gone
// already is no error.
Result<void> delete_beside(const Call& call, const std::string& alias, const std::string& live,
                           const std::string& index);

// Deletes an index where there is none behind the pipeline's alias. One that is gone already is no error.
Result<void> delete_index(const Call& call, const std::string& index);

}  // namespace pawl::index
