#include "tests/simulation/sim_rebuild_reader.h"

#include <algorithm>

#include <fmt/core.h>

#include "tests/simulation/sim_checks.h"

namespace pawl::simulation {

void SimRebuildReader::look_at(const SimIndex* live) {
    if (live == nullptr) {
        if (!seen_.empty()) throw Violation{"a reader finds no index behind the alias"};
        return;
    }
    seen_.resize(live->stored.size());
    for (std::uint32_t entity = 0; entity < seen_.size(); ++entity)
        seen_[entity] = std::max(seen_[entity], age_of(live->stored[entity]));
}

std::vector<Stored> SimRebuildReader::must_hold(const SimIndex& live) const {
    std::vector<Stored> all = live.stored;
    if (outbox_ == nullptr) return all;
    for (std::uint32_t entity = 0; entity < all.size(); ++entity)
        if (outbox_->highest_row(entity) != 0) all[entity] = {};
    return all;
}

void SimRebuildReader::swaps_to(const SimIndex& fresh, const std::vector<Stored>& must_hold) const {
    for (std::uint32_t entity = 0; entity < must_hold.size(); ++entity) {
        const Stored& before = must_hold[entity];
        const Stored& after = fresh.stored[entity];
        if (age_of(after) >= age_of(before) || has_bad_row(entity)) continue;
        // What is deleted may be unknown to the new index, but not alive in it.
        const bool is_gone = !before.is_document || is_deleted_after(entity, age_of(before));
        if (after.is_document || !is_gone)
            throw Violation{fmt::format("the alias is swapped to an index with e{} at {}, after {}", entity,
                                        age_of(after), age_of(before))};
    }
}

// Whatever the daemons' journals say.
void SimRebuildReader::is_the_table(const SimIndex* live) const {
    for (std::uint32_t entity = 0; entity < seen_.size(); ++entity) {
        if (outbox_->highest_row(entity) != 0 || has_bad_row(entity)) continue;
        if (live == nullptr || !SimChecks::shows(live->stored[entity], outbox_->present(entity)))
            throw Violation{
                fmt::format("the rebuild is done, and e{} is not as the table has it, with content {}",
                            entity, outbox_->present(entity).content)};
    }
}

void SimRebuildReader::has_all(const SimIndex* live) const {
    if (outbox_ != nullptr) return is_the_table(live);
    for (std::uint32_t entity = 0; entity < seen_.size(); ++entity) {
        const Revision had = live == nullptr ? 0 : versions_.highest(*live, entity);
        if (had < seen_[entity] && !has_bad_row(entity))
            throw Violation{fmt::format("the rebuild is done, and the new index never had revision {} of e{}",
                                        seen_[entity], entity)};
    }
}

bool SimRebuildReader::is_deleted_after(std::uint32_t entity, Revision revision) const {
    if (outbox_ != nullptr) return outbox_->was_removed_after(entity, revision);
    return std::ranges::any_of(history_.rows(), [&](const HistoryRow& row) {
        return row.entity == entity && row.revision > revision && row.kind == RowKind::removed &&
               row.fate == Fate::committed;
    });
}

bool SimRebuildReader::has_bad_row(std::uint32_t entity) const {
    if (outbox_ != nullptr) return outbox_->was_ever_bad(entity);
    return std::ranges::any_of(history_.rows(), [&](const HistoryRow& row) {
        return row.entity == entity && row.kind != RowKind::good && row.kind != RowKind::removed;
    });
}

}  // namespace pawl::simulation
