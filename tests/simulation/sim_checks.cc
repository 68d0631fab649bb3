#include "tests/simulation/sim_checks.h"

#include <algorithm>

#include <fmt/core.h>

namespace pawl::simulation {

using journal::BatchState;

namespace {

// A read of the process at hand, and those that processes left which died within a read's latency.
constexpr std::size_t reads_under_way_max = 4;

}  // namespace

void SimChecks::request_may_go(const engine::BulkRequest& request, std::size_t in_flight) const {
    if (in_flight > options_.limits.requests_in_flight_max)
        throw Violation{fmt::format("{} requests are in flight", in_flight)};
    if (request.actions.empty() || request.actions.size() > options_.limits.batch_rows_max)
        throw Violation{fmt::format("a request has {} actions", request.actions.size())};
    for (const engine::Row& action : request.actions) {
        if (action.action == engine::Action::invalid) throw Violation{"an invalid row is sent"};
        if (outbox_ != nullptr) {
            has_intent_for(action);
            continue;
        }
        // Rows that a restored source has forgotten cannot be looked for among the batch's.
        if (history_.restores() == 0 && !has_intent(SimHistory::entity_of(action.entity), 0))
            throw Violation{fmt::format("{} at revision {} is sent before its INTENT is durable",
                                        action.entity, action.revision)};
    }
}

// Whether a batch in INTENT stands for a row of the entity above this revision: after a crash its latest row
// is applied again.
bool SimChecks::has_intent(std::uint32_t entity, Revision above) const {
    if (!journal_.durable()) return false;
    const auto& rows = history_.rows();
    const auto& batches = journal_.durable()->batches;
    return std::any_of(batches.begin(), batches.end(), [&](const journal::Batch& batch) {
        return batch.state == BatchState::intent &&
               std::any_of(rows.begin(), rows.end(), [&](const HistoryRow& row) {
                   return row.entity == entity && row.revision > above &&
                          batch.revisions.contains(row.revision);
               });
    });
}

// The highest revision of the entity that the index was shown or that the quarantine remembers.
Revision SimChecks::known_of(const SimIndex& index, std::uint32_t entity) const {
    const auto* const entry = journal_.quarantined(history_.name_of(entity));
    return std::max(versions_.highest(index, entity), entry == nullptr ? 0 : entry->revision);
}

// A rejected row counts for nothing when an open batch sends a newer one of its entity. That batch lies above
// the watermark, or tries an entity of the quarantine again.
bool SimChecks::is_another_batchs(std::uint32_t entity, Revision watermark) const {
    const bool tried_again = journal_.quarantined(history_.name_of(entity)) != nullptr;
    return has_intent(entity, tried_again ? 0 : watermark);
}

void SimChecks::journal_is_sound() const {
    if (!journal_.durable()) return;
    const journal::PipelineSnapshot& durable = *journal_.durable();
    if (journal_.open_batches() > options_.limits.batches_open_max)
        throw Violation{fmt::format("{} batches are open", journal_.open_batches())};
    if (durable.gaps.intervals().size() > options_.limits.gaps_max)
        throw Violation{fmt::format("{} gaps are kept", durable.gaps.intervals().size())};

    const SimIndex* const index = cluster_.index();
    // What the journal says of an index that is gone binds nobody: the pipeline will begin again.
    if (index == nullptr || index->uuid != durable.pipeline.target.uuid) return;
    if (index->history_restores != history_.restores()) return;  // nor what it says of a history that was
    if (outbox_ != nullptr) {
        if (!durable.pipeline.fill) deleted_rows_are_in(*index);
        return;
    }
    std::vector<Revision> known(history_.entities());
    for (std::uint32_t entity = 0; entity < history_.entities(); ++entity)
        known[entity] = known_of(*index, entity);
    for (Revision revision = 1; revision <= durable.pipeline.watermark; ++revision) {
        const HistoryRow& row = history_.row(revision);
        if (row.fate == Fate::open)
            throw Violation{fmt::format("watermark {} is above revision {}, whose transaction is open",
                                        durable.pipeline.watermark, revision)};
        if (row.fate == Fate::committed && known[row.entity] < revision &&
            !comes_with_the_fill(row, durable.pipeline.watermark) &&
            !is_another_batchs(row.entity, durable.pipeline.watermark))
            throw Violation{fmt::format("watermark {} is above revision {} of e{}, which the index never had",
                                        durable.pipeline.watermark, revision, row.entity)};
    }
}

void SimChecks::index_remembers_no_more_than_it_holds() const {
    const SimIndex* const index = cluster_.index();
    if (index == nullptr || !index->remembered || index->history_restores != history_.restores()) return;
    const engine::Remembered& remembered = *index->remembered;
    if (outbox_ != nullptr) {
        if (!remembered.filling) deleted_rows_are_in(*index);
        return;
    }
    for (Revision revision = 1; revision <= remembered.revision; ++revision) {
        const HistoryRow& row = history_.row(revision);
        const bool is_held = versions_.highest(*index, row.entity) >= revision;
        if (row.fate == Fate::open || (row.fate == Fate::committed && !is_held && !is_owed(remembered, row)))
            throw Violation{fmt::format("the index remembers {}, but it never had revision {} of e{}",
                                        remembered.revision, revision, row.entity)};
    }
}

// A fill leaves a row out for a later one of its entity, which is still to come: after a crash too, since it
// lies above the watermark.
bool SimChecks::comes_with_the_fill(const HistoryRow& row, Revision watermark) const {
    const auto& rows = history_.rows();
    return std::any_of(rows.begin(), rows.end(), [&](const HistoryRow& other) {
        return other.entity == row.entity && other.revision > watermark &&
               other.revision <= fills_at_most_through_ && other.fate == Fate::committed;
    });
}

// Some row of the entity, at or above this one, is listed as missing.
bool SimChecks::is_owed(const engine::Remembered& remembered, const HistoryRow& row) const {
    const auto& rows = history_.rows();
    return std::any_of(rows.begin(), rows.end(), [&](const HistoryRow& other) {
        return other.entity == row.entity && other.revision >= row.revision &&
               (remembered.owed.contains(other.revision) ||
                (other.fate == Fate::committed && other.revision > remembered.revision));
    });
}

void SimChecks::after_step() {
    index_remembers_no_more_than_it_holds();
    journal_goes_forward();
    journal_is_sound();
}

void SimChecks::states_go_forward(const journal::PipelineSnapshot& durable) const {
    for (const auto& [id, state] : seen_.open) {
        const auto now =
            std::find_if(durable.batches.begin(), durable.batches.end(),
                         [known = id](const journal::Batch& batch) { return batch.id == known; });
        if (now == durable.batches.end()) throw Violation{fmt::format("batch {} is forgotten", id)};
        if (now->state < state)
            throw Violation{fmt::format("batch {} went back from {} to {}", id, journal::name_of(state),
                                        journal::name_of(now->state))};
    }
}

void SimChecks::journal_goes_forward() {
    if (!journal_.durable()) return;
    const journal::PipelineSnapshot& durable = *journal_.durable();
    const journal::Pipeline& pipeline = durable.pipeline;
    if (pipeline.last_batch < seen_.last_batch)
        throw Violation{fmt::format("batches are numbered again from {}, after {}", pipeline.last_batch,
                                    seen_.last_batch)};
    if (journal_.begins() != seen_.begins) {
        fills_at_most_through_ = history_.end_of_history();
    } else {
        states_go_forward(durable);
        if (pipeline.high < seen_.high)
            throw Violation{fmt::format("high went back from {} to {}", seen_.high, pipeline.high)};
        if (pipeline.watermark < seen_.watermark)
            throw Violation{
                fmt::format("the watermark went back from {} to {}", seen_.watermark, pipeline.watermark)};
    }
    seen_ = {journal_.begins(), pipeline.last_batch, pipeline.high, pipeline.watermark, {}};
    for (const journal::Batch& batch : durable.batches)
        if (batch.state != BatchState::committed) seen_.open.emplace(batch.id, batch.state);
}

void check_memory(const SimOptions& options, const SimHistory& history, std::size_t hosts) {
    const std::size_t most = hosts * (options.limits.batches_open_max + reads_under_way_max);
    if (history.pages_alive() > most)
        throw Violation{fmt::format("{} pages are held in memory", history.pages_alive())};
}

SimRowsThere SimChecks::latest_rows() const {
    if (outbox_ != nullptr) return {outbox_->rows_there(), history_.restores()};
    std::vector<Revision> latest(history_.entities(), 0);
    for (std::uint32_t entity = 0; entity < history_.entities(); ++entity)
        if (const HistoryRow* const row = history_.latest(entity)) latest[entity] = row->revision;
    return {std::move(latest), history_.restores()};
}

void SimChecks::accounted_for(const SimRowsThere& there) const {
    const std::vector<Revision>& rows = there.rows;
    const SimIndex* const index = cluster_.index();
    if (index == nullptr || !journal_.durable() || journal_.durable()->pipeline.target.uuid != index->uuid)
        return;
    if (index->history_restores != history_.restores() || there.restores != history_.restores()) return;
    if (outbox_ != nullptr) return all_gone(rows);
    for (std::uint32_t entity = 0; entity < history_.entities(); ++entity)
        if (known_of(*index, entity) < rows[entity])
            throw Violation{fmt::format("caught up without revision {} of e{}", rows[entity], entity)};
}

bool SimChecks::is_bad(RowKind kind) const {
    switch (kind) {
        case RowKind::good:
        case RowKind::removed:
            return false;
        case RowKind::refused:
            return !cluster_.mended();
        case RowKind::poison:
        case RowKind::oversized:
        case RowKind::invalid:
            return true;
    }
    return false;
}

bool SimChecks::index_holds_foreign_versions() const {
    const SimIndex* const index = cluster_.index();
    if (index == nullptr) return false;
    for (std::uint32_t entity = 0; entity < history_.entities(); ++entity)
        if (history_.is_foreign(entity, index->stored[entity].version)) return true;
    return false;
}

void SimChecks::heeds(const std::map<std::uint32_t, Revision>& conflicts) const {
    const SimIndex* const index = cluster_.index();
    if (index == nullptr || !journal_.durable() || journal_.open_batches() > 0) return;
    const journal::Pipeline& pipeline = journal_.durable()->pipeline;
    if (pipeline.target.uuid != index->uuid || pipeline.high < history_.end_of_history()) return;
    // It may have yet to look whether its history is still that one.
    if (pipeline.condition != journal::Condition::running) return;
    for (const auto& [entity, version] : conflicts)
        if (index->stored[entity].version == version && history_.is_foreign(entity, version) &&
            journal_.quarantined(history_.name_of(entity)) == nullptr)
            throw Violation{fmt::format(
                "e{} is at revision {}, which is nobody's: pawl was told and says nothing", entity, version)};
}

std::string SimChecks::work_left() const {
    const SimIndex* const index = cluster_.index();
    if (index == nullptr) return "there is no index";
    if (!journal_.durable()) return "the journal does not know the pipeline";
    if (journal_.durable()->pipeline.target.uuid != index->uuid) return "the journal names another index";
    if (std::string rest = rest_left(); !rest.empty()) return rest;
    return difference();
}

// What is still to be done, whatever the index holds.
std::string SimChecks::rest_left() const {
    if (outbox_ != nullptr) {
        if (std::string rows = rows_left(); !rows.empty()) return rows;
    } else if (journal_.durable()->pipeline.high < history_.end_of_history()) {
        return "not all is read";
    }
    if (journal_.open_batches() > 0) return fmt::format("{} batches are open", journal_.open_batches());
    // Nobody is writing any more.
    if (!journal_.durable()->gaps.empty()) return "gaps are left";
    if (journal_.durable()->pipeline.watermark != journal_.durable()->pipeline.high)
        return "the watermark is below high";
    if (journal_.durable()->pipeline.condition != journal::Condition::running)
        return fmt::format("the pipeline is {}", journal::name_of(journal_.durable()->pipeline.condition));
    return {};
}

std::string SimChecks::difference() const {
    const SimIndex* const index = cluster_.index();
    if (index == nullptr) return "there is no index";
    return outbox_ == nullptr ? difference_to_history(*index) : difference_to_table(*index);
}

std::string SimChecks::difference_to_history(const SimIndex& index) const {
    for (std::uint32_t entity = 0; entity < history_.entities(); ++entity) {
        const Stored& stored = index.stored[entity];
        const auto* const entry = journal_.quarantined(history_.name_of(entity));
        const HistoryRow* const row = history_.latest(entity);
        if (row == nullptr && stored.version == 0 && entry == nullptr) continue;
        if (row == nullptr) return fmt::format("e{} came from nowhere", entity);
        if (is_bad(row->kind) != (entry != nullptr))
            return fmt::format("e{} is {} quarantine", entity, entry == nullptr ? "not in" : "in");
        if (entry != nullptr && entry->revision == row->revision) continue;
        const bool right = row->kind == RowKind::removed
                               ? !stored.is_document
                               : stored.is_document && stored.version == row->revision;
        if (!right)
            return fmt::format("e{} is at revision {} ({}), its latest row at {}", entity, stored.version,
                               stored.is_document ? "document" : "no document", row->revision);
    }
    return {};
}

}  // namespace pawl::simulation
