// What is told of a rebuild without carrying it on, and how one is given up.
#include <fmt/core.h>

#include "ops/rebuild.h"
#include "ops/rebuild_folder.h"
#include "ops/rebuild_indices.h"
#include "ops/rebuild_keeping.h"

namespace pawl::ops {

Result<RebuildOutlook> look_at_rebuild(const config::Config& config, const config::Pipeline& pipeline) {
    auto asking = Asking::make(config);
    if (!asking) return std::unexpected(std::move(asking.error()));
    const auto indices = index::find_rebuild(asking->call(), pipeline.index.alias);
    if (!indices) return std::unexpected(indices.error());
    if (auto possible = check_possible(pipeline, *indices); !possible)
        return std::unexpected(std::move(possible.error()));
    const auto folder = look_at_rebuild_folder(config, pipeline);
    if (!folder) return std::unexpected(folder.error());
    RebuildOutlook outlook{.step = next_step(fact_of(*indices), *folder),
                           .live_index = indices->live->identity.index};
    if (indices->fresh) outlook.fresh_index = indices->fresh->identity.index;
    const auto documents = index::count_documents(asking->call(), outlook.live_index);
    if (!documents) return std::unexpected(documents.error());
    outlook.live_documents = *documents;
    if (outlook.step == RebuildStep::refuse) return refuse(pipeline, *indices);
    return outlook;
}

Result<std::string> abort_rebuild(const config::Config& config, const config::Pipeline& pipeline) {
    const auto folder = RebuildFolder::take(config, pipeline);
    if (!folder) return std::unexpected(folder.error());
    auto asking = Asking::make(config);
    if (!asking) return std::unexpected(std::move(asking.error()));
    const auto indices = index::take_over_rebuild(asking->call(), pipeline.index.alias);
    if (!indices) return std::unexpected(indices.error());
    if (indices->swapped())
        return fail(ErrorKind::decision,
                    fmt::format("alias {} leads to the new index {} already", pipeline.index.alias,
                                indices->fresh->identity.index),
                    "pawl rebuild concludes it");
    RebuildKeeping keeping(config, pipeline, asking->call());
    if (!indices->fresh) {
        if (auto gone = keeping.give_up(); !gone) return std::unexpected(std::move(gone.error()));
        if (auto cleared = folder->clear(); !cleared) return std::unexpected(std::move(cleared.error()));
        return std::string{};
    }
    if (auto gone = delete_half_filled(asking->call(), pipeline.index.alias, *indices); !gone)
        return std::unexpected(std::move(gone.error()));
    if (auto gone = keeping.give_up(); !gone) return std::unexpected(std::move(gone.error()));
    if (auto cleared = folder->clear(); !cleared) return std::unexpected(std::move(cleared.error()));
    return indices->fresh->identity.index;
}

}  // namespace pawl::ops
