#include "tests/simulation/sim_versions.h"

#include <fmt/core.h>

namespace pawl::simulation {

void SimVersions::look_at(const SimIndex& index) {
    if (highest_.size() <= index.number) {
        highest_.resize(index.number + 1);
        is_older_.resize(index.number + 1);
    }
    std::vector<Revision>& highest = highest_[index.number];
    std::vector<bool>& is_older = is_older_[index.number];
    highest.resize(index.stored.size());
    is_older.resize(index.stored.size());
    for (std::uint32_t entity = 0; entity < highest.size(); ++entity) {
        const Stored& stored = index.stored[entity];
        const Revision version = by_content_ ? stored.content : stored.version;
        const bool was_older = is_older[entity];
        is_older[entity] = version < highest[entity];
        if (is_older[entity] && !was_older) {
            if (!forgiving_ && !index.is_loading && !(by_content_ && stored.is_stray))
                throw Violation{fmt::format("e{} went back from {} {} to {}", entity,
                                            by_content_ ? "content" : "revision", highest[entity], version)};
            if (!index.is_loading) ++forgiven_;
        }
        highest[entity] = std::max(highest[entity], version);
    }
}

Revision SimVersions::highest(const SimIndex& index, std::uint32_t entity) const {
    if (index.number >= highest_.size() || entity >= highest_[index.number].size()) return 0;
    return highest_[index.number][entity];
}

}  // namespace pawl::simulation
