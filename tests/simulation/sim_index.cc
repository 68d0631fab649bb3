#include "tests/simulation/sim_index.h"

#include <fmt/core.h>

namespace pawl::simulation {

using engine::ItemResult;
using engine::ItemStatus;

SimCluster::SimCluster(const SimHistory& history, TimeMs gc_deletes_ms)
    : history_(history), gc_deletes_ms_(gc_deletes_ms) {}

SimIndex& SimCluster::add_index() {
    current_ = indices_.size();
    indices_.push_back(
        {indices_.size(), fmt::format("uuid{}", indices_.size()), std::vector<Stored>(history_.entities())});
    return indices_.back();
}

engine::TargetFacts SimCluster::prepare() {
    engine::TargetFacts facts;
    facts.created = !current_;
    const SimIndex& index = current_ ? indices_[*current_] : add_index();
    facts.identity = {"alias", "index-" + index.uuid, index.uuid};
    facts.gc_deletes_ms = gc_deletes_ms_;
    return facts;
}

ItemResult SimCluster::apply(const SimAction& action, TimeMs now) {
    if (!current_) return {ItemStatus::target_missing, "index_not_found_exception", "no such alias", {}};
    const RowKind kind = history_.row(action.revision).kind;
    if (kind == RowKind::refused && !mended_)
        return {ItemStatus::rejected, "mapper_parsing_exception", "not a number", {}};

    Stored& stored = indices_[*current_].stored.at(action.entity);
    const bool expired =
        stored.version > 0 && !stored.is_document && now - stored.deleted_at >= gc_deletes_ms_;
    const Revision version = expired ? 0 : stored.version;
    if (action.revision < version)
        return {ItemStatus::superseded, "version_conflict_engine_exception", "", version};
    stored.version = action.revision;
    stored.is_document = action.action == engine::Action::index;
    stored.deleted_at = now;
    return {};
}

void SimCluster::move_alias(bool with_documents, TimeMs now) {
    const std::vector<Stored> stored = current_ ? indices_[*current_].stored : std::vector<Stored>{};
    SimIndex& index = add_index();
    if (with_documents && !stored.empty()) {
        index.stored = stored;
        for (Stored& one : index.stored)  // tombstones do not travel; that they were there still counts
            if (!one.is_document) one.deleted_at = now - gc_deletes_ms_;
    }
    ++epoch_;
}

}  // namespace pawl::simulation
