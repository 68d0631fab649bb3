#include "tests/simulation/sim_index.h"

#include <algorithm>

#include <fmt/core.h>

namespace pawl::simulation {

using engine::ItemResult;
using engine::ItemStatus;

namespace {

constexpr TimeMs translog_sync_ms = 5'000;  // index.translog.sync_interval

}  // namespace

SimCluster::SimCluster(const SimHistory& history, TimeMs gc_deletes_ms)
    : history_(history), gc_deletes_ms_(gc_deletes_ms) {}

SimCluster SimCluster::beside() const {
    SimCluster other(history_, gc_deletes_ms_);
    other.indices_ = indices_;
    other.loads_ = true;
    return other;
}

SimIndex& SimCluster::add_index() {
    current_ = indices_->size();
    is_given_up_ = false;
    indices_->push_back({indices_->size(), fmt::format("uuid{}", indices_->size()),
                         std::vector<Stored>(history_.entities())});
    current().history_restores = history_.restores();
    current().is_loading = loads_;
    current().is_fed_from_kept = loads_;
    return current();
}

SimIndex* SimCluster::index_with(const std::string& uuid) {
    const auto found = std::ranges::find(*indices_, uuid, &SimIndex::uuid);
    return found == indices_->end() || found->is_deleted ? nullptr : &*found;
}

engine::TargetFacts SimCluster::prepare() {
    engine::TargetFacts facts;
    facts.created = !current_;
    const SimIndex& index = current_ ? current() : add_index();
    facts.identity = {"alias", index.name(), index.uuid};
    facts.gc_deletes_ms = gc_deletes_ms_;
    facts.remembered = index.remembered;
    facts.empty = !index.remembered && std::ranges::none_of(index.stored, &Stored::is_document);
    return facts;
}

bool SimCluster::remember(const std::string& uuid, const engine::Remembered& remembered) {
    if (!leads_to(uuid)) return false;
    current().not_durable.clear();  // it is flushed first
    current().remembered = remembered;
    return true;
}

void SimCluster::take_snapshot() {
    if (current_) snapshot_ = current();
}

void SimCluster::restore_snapshot(TimeMs now) {
    if (!snapshot_) return;
    SimIndex& index = add_index();
    index.is_anothers = true;
    copy_documents(*snapshot_, index, now);
}

void SimCluster::erase_memory() {
    if (!current_) return;
    current().remembered.reset();
    current().was_erased = true;
}

void SimCluster::copy_documents(const SimIndex& from, SimIndex& to, TimeMs now) const {
    to.is_believed = from.is_believed;
    to.was_erased = from.was_erased;
    to.stored = from.stored;
    to.remembered = from.remembered;
    to.history_restores = from.history_restores;
    for (Stored& one : to.stored) {  // tombstones do not travel; that they were there still counts
        if (one.is_document || one.version == 0) continue;
        one.deleted_at = now - gc_deletes_ms_;
        one.lost_tombstone = true;
    }
}

bool SimCluster::nobody_remembers(const SimAction& action) const {
    if (!current_) return false;
    const auto& remembered = index()->remembered;
    const Stored& stored = index()->stored.at(action.entity);
    return stored.lost_tombstone && action.revision < stored.version && remembered &&
           action.revision <= remembered->revision && !remembered->owed.contains(action.revision);
}

ItemResult SimCluster::apply(const SimAction& action, TimeMs now, bool is_stray) {
    if (!current_) return {ItemStatus::target_missing, "index_not_found_exception", "no such alias", {}};
    const RowKind kind = history_.kind_of(action.revision, action.content);
    if (kind == RowKind::refused && !mended_)
        return {ItemStatus::rejected, "mapper_parsing_exception", "not a number", {}};

    Stored& stored = current().stored.at(action.entity);
    const bool expired =
        stored.version > 0 && !stored.is_document && now - stored.deleted_at >= gc_deletes_ms_;
    const Revision version = expired ? 0 : stored.version;
    if (action.revision < version)
        return {ItemStatus::superseded, "version_conflict_engine_exception", "", version};
    if (current().is_loading) current().not_durable.push_back({now, action.entity, stored});
    stored.is_stray = is_stray || (!expired && action.revision == version);
    stored.content = action.content;
    stored.version = action.revision;
    stored.is_document = action.action == engine::Action::index;
    stored.deleted_at = now;
    stored.lost_tombstone = false;
    stored.is_forgotten = false;
    return {};
}

void SimCluster::move_alias(bool with_documents, TimeMs now) {
    std::optional<SimIndex> before;
    if (current_) before = current();
    SimIndex& index = add_index();
    index.is_anothers = true;
    if (with_documents && before) copy_documents(*before, index, now);
}

bool SimCluster::permit_swap(const std::string& to, std::uint64_t permit) {
    SimIndex* const index = index_with(to);
    if (index == nullptr) return false;
    index->swap_permit = permit;
    return true;
}

bool SimCluster::swap(const std::string& from, const std::string& to, std::uint64_t permit) {
    SimIndex* const target = index_with(to);
    if (!leads_to(from) || target == nullptr || target->swap_permit != permit) return false;
    target->swap_permit = 0;
    current_ = target->number;
    return true;
}

void SimCluster::take_alias_from(const std::string& uuid) {
    if (leads_to(uuid)) current_.reset();
}

void SimCluster::delete_index(const std::string& uuid) {
    take_alias_from(uuid);
    if (SimIndex* const index = index_with(uuid)) index->is_deleted = true;
}

void SimCluster::finish_loading(const std::string& uuid) {
    SimIndex* const index = index_with(uuid);
    if (index == nullptr) return;
    index->is_loading = false;
    index->not_durable.clear();
}

void SimCluster::is_compared(const std::string& uuid) {
    if (SimIndex* const index = index_with(uuid)) index->lacks_writes = false;
}

void SimCluster::is_fed_from_outbox(const std::string& uuid) {
    if (SimIndex* const index = index_with(uuid)) index->is_fed_from_kept = false;
}

std::size_t SimCluster::forget_last_writes(SimRandom& random, TimeMs now) {
    if (!current_ || !current().is_loading) return 0;
    auto& writes = current().not_durable;
    std::erase_if(writes, [&](const SimIndex::Write& write) { return now - write.at >= translog_sync_ms; });
    const std::size_t forgotten = random.below(writes.size() + 1);
    if (forgotten > 0) current().lacks_writes = true;
    for (std::size_t count = 0; count < forgotten; ++count) {
        Stored& stored = current().stored.at(writes.back().entity);
        stored = writes.back().before;
        stored.is_forgotten = true;
        writes.pop_back();
    }
    return forgotten;
}

}  // namespace pawl::simulation
