#include "ops/rebuild_indices.h"

#include <fmt/core.h>

namespace pawl::ops {

RebuildIndexFact fact_of(const index::RebuildIndices& indices) {
    if (!indices.fresh) return RebuildIndexFact::none;
    return indices.swapped() ? RebuildIndexFact::swapped : RebuildIndexFact::filling;
}

Result<void> check_possible(const config::Pipeline& pipeline, const index::RebuildIndices& indices) {
    if (pipeline.index.create_body.empty())
        return fail(
            ErrorKind::invalid,
            fmt::format("pipeline {}: a rebuild makes a new index, and pipeline.index.create is not set",
                        pipeline.name),
            "set it to a JSON file with the index's settings and mappings");
    if (!indices.live)
        return fail(ErrorKind::invalid,
                    fmt::format("there is no index behind alias {}", pipeline.index.alias),
                    "pawl run makes and fills it");
    return {};
}

Result<void> delete_half_filled(const index::Call& call, const std::string& alias,
                                const index::RebuildIndices& indices) {
    const std::string& fresh = indices.fresh->identity.index;
    return indices.live ? index::delete_beside(call, alias, indices.live->identity.index, fresh)
                        : index::delete_index(call, fresh);
}

std::unexpected<Error> refuse(const config::Pipeline& pipeline, const index::RebuildIndices& indices) {
    return fail(
        ErrorKind::decision,
        fmt::format("index {} behind alias {} was begun by a rebuild that this journal does not know",
                    indices.fresh->identity.index, index::rebuild_alias(pipeline.index.alias)),
        fmt::format("let the pawl that began it go on, or give it up: pawl rebuild --pipeline {} --abort",
                    pipeline.name));
}

}  // namespace pawl::ops
