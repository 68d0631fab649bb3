// The checks of a pipeline with an outbox: a row may be deleted only when the index has what it stands for.
#include <algorithm>

#include <fmt/core.h>

#include "tests/simulation/sim_checks.h"

namespace pawl::simulation {

using journal::BatchState;

namespace {

std::string stored_in_words(const Stored& stored) {
    return fmt::format("content {} at revision {} ({})", stored.content, stored.version,
                       stored.is_document ? "document" : "no document");
}

}  // namespace

bool SimChecks::shows(const Stored& stored, const EntityState& state) {
    if (state.kind == RowKind::removed) return !stored.is_document;
    return stored.is_document && stored.content == state.content;
}

// Rows of the table have no revision: a batch of the fill stands for them.
void SimChecks::has_intent_for(const engine::Row& action) const {
    const auto stands_for_it = [&](const journal::Batch& batch) {
        return batch.state == BatchState::intent &&
               (action.revision == 0 ? batch.revisions.empty() : batch.revisions.contains(action.revision));
    };
    if (!journal_.durable() || std::ranges::none_of(journal_.durable()->batches, stands_for_it))
        throw Violation{fmt::format("{} at revision {} is sent before its INTENT is durable", action.entity,
                                    action.revision)};
}

// Some row of the entity will yet come to the index. To one that a rebuild has made, until its kept rows are
// given back: what a daemon deletes from the outbox for the index that is replaced is among those rows from
// the same moment on, and whoever feeds this index takes them out of there only when it has them. So there
// is no moment at which neither has a row of an entity that is not as the table says. When they have been
// given back, and to every other index, kept rows say nothing any more.
bool SimChecks::is_told_of(const SimIndex& index, std::uint32_t entity) const {
    const bool is_of_rebuild = index.is_fed_from_kept || outbox_ == kept_;
    if (kept_ != nullptr && is_of_rebuild) return !kept_->is_settled(entity);
    return outbox_->highest_row(entity) != 0;
}

// Whoever has no row in the outbox is in the index as the table has it. Not in an index that was replaced by
// a copy of a time before: what was deleted since is not in it (sim_options.h). Nor while a node may die, or
// has died, that has forgotten what was acknowledged: a rebuild compares what is there, and waits, before it
// goes on.
void SimChecks::deleted_rows_are_in(const SimIndex& index) const {
    if (index.is_anothers || index.is_loading || index.lacks_writes) return;
    for (std::uint32_t entity = 0; entity < outbox_->entities(); ++entity)
        if (!is_told_of(index, entity) && !shows(index.stored[entity], outbox_->present(entity)))
            throw Violation{
                fmt::format("e{} has no row in the outbox, and its content {} is not in the index, but {}",
                            entity, outbox_->present(entity).content, stored_in_words(index.stored[entity]))};
}

// Rows of a former moment, and those that they were renewed to, but for the quarantine's.
void SimChecks::all_gone(const std::vector<Revision>& rows) const {
    if (journal_.durable()->pipeline.fill) throw Violation{"caught up before the end of the fill"};
    for (const Revision revision : outbox_->rows_there()) {
        if (!std::ranges::binary_search(rows, outbox_->origin(revision))) continue;
        const auto* const entry = journal_.quarantined(outbox_->name_of(outbox_->row(revision).entity));
        // One that was in quarantine may have been renewed by a pawl that has taken over since.
        const bool stays = entry != nullptr &&
                           (entry->revision == revision ||
                            (options_.has(Fault::second_pawl) && entry->revision <= outbox_->rows().size() &&
                             outbox_->origin(entry->revision) == outbox_->origin(revision)));
        if (!stays)
            throw Violation{
                fmt::format("caught up without row {} of e{}", revision, outbox_->row(revision).entity)};
    }
}

// The quarantine's rows stay. An id that was handed out again, after a restore that nobody has noticed, may
// be taken for one of them.
std::string SimChecks::rows_left() const {
    const journal::PipelineSnapshot& durable = *journal_.durable();
    if (durable.pipeline.fill) return "the table is not filled into the index";
    for (const Revision revision : outbox_->rows_there()) {
        const std::uint32_t entity = outbox_->row(revision).entity;
        const bool stays = std::ranges::any_of(durable.quarantine, [&](const auto& entry) {
            return entry.revision == revision &&
                   (outbox_->restores() > 0 || entry.entity == outbox_->name_of(entity));
        });
        if (!stays) return fmt::format("row {} of e{} is left in the outbox", revision, entity);
    }
    return {};
}

std::string SimChecks::difference_to_table(const SimIndex& index) const {
    for (std::uint32_t entity = 0; entity < outbox_->entities(); ++entity) {
        const EntityState& state = outbox_->present(entity);
        const auto* const entry = journal_.quarantined(outbox_->name_of(entity));
        if (is_bad(state.kind) != (entry != nullptr))
            return fmt::format("e{} is {} quarantine", entity, entry == nullptr ? "not in" : "in");
        if (entry != nullptr && !outbox_->is_there(entry->revision))
            return fmt::format("e{} is in quarantine, but its row {} is gone", entity, entry->revision);
        if (entry == nullptr && !shows(index.stored[entity], state))
            return fmt::format("e{} has content {}, but the index shows {}", entity, state.content,
                               stored_in_words(index.stored[entity]));
    }
    return {};
}

bool SimChecks::is_different_at_rest() const {
    const SimIndex* const index = cluster_.index();
    if (index == nullptr || !journal_.durable() || journal_.durable()->pipeline.target.uuid != index->uuid)
        return false;
    return rest_left().empty() && !difference().empty();
}

}  // namespace pawl::simulation
