#include "ops/rebuild_config.h"

#include <utility>

#include "index/rebuild_index.h"
#include "ops/rebuild_outbox.h"

namespace pawl::ops {

Result<config::Config> rebuild_config(const config::Config& config, const config::Pipeline& pipeline,
                                      const std::filesystem::path& journal, std::uint32_t rejected_max,
                                      MayCreate may_create) {
    auto target = index::rebuild_target(pipeline.index);
    if (!target) return std::unexpected(std::move(target.error()));
    config::Config own = config;
    own.journal.path = journal;
    own.pipelines = {with_kept_outbox(pipeline)};
    config::Pipeline& fed = own.pipelines.front();
    fed.index = std::move(*target);
    if (may_create == MayCreate::no) fed.index.create_body.clear();
    fed.limits.quarantine_max = rejected_max;
    return own;
}

}  // namespace pawl::ops
