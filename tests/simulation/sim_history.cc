#include "tests/simulation/sim_history.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/assert.h"

namespace pawl::simulation {
namespace {

engine::Action action_of(RowKind kind) {
    if (kind == RowKind::removed) return engine::Action::remove;
    return kind == RowKind::invalid ? engine::Action::invalid : engine::Action::index;
}

}  // namespace

SimHistory::SimHistory(std::uint32_t entities) : latest_(entities, 0) {
    for (std::uint32_t entity = 0; entity < entities; ++entity)
        names_.push_back(fmt::format("e{}", entity));
}

std::uint32_t SimHistory::entity_of(std::string_view name) {
    std::uint32_t entity = 0;
    const auto parsed = std::from_chars(name.data() + 1, name.data() + name.size(), entity);
    PAWL_ASSERT(parsed.ec == std::errc{});
    return entity;
}

Revision SimHistory::insert(std::uint32_t entity, RowKind kind) {
    rows_.push_back({rows_.size() + 1, entity, kind, Fate::open});
    ++open_rows_;
    return rows_.back().revision;
}

void SimHistory::end(const Transaction& transaction, Fate fate) {
    for (const Revision revision : transaction) {
        HistoryRow& row = rows_.at(revision - 1);
        PAWL_ASSERT(row.fate == Fate::open);
        row.fate = fate;
        --open_rows_;
        if (fate != Fate::committed) continue;
        latest_[row.entity] = std::max(latest_[row.entity], revision);
        end_ = std::max(end_, revision);
    }
}

const HistoryRow* SimHistory::latest(std::uint32_t entity) const {
    const Revision revision = latest_.at(entity);
    return revision == 0 ? nullptr : &row(revision);
}

engine::Proof SimHistory::prove() const {
    if (open_rows_ > 0) return {engine::Proof::Outcome::busy, 0, "a transaction is open"};
    return {engine::Proof::Outcome::proven, end_, {}};
}

void SimHistory::put(engine::Page& page, const HistoryRow& row) const {
    std::string document;
    if (row.kind == RowKind::invalid)
        document = "it makes no document";
    else if (row.kind != RowKind::removed)
        document = fmt::format("{{\"r\":{}}}", row.revision);
    page.add({row.revision, action_of(row.kind), names_[row.entity], document,
              row.kind == RowKind::invalid ? "invalid_body" : ""});
}

std::shared_ptr<const engine::Page> SimHistory::read(const engine::ReadRequest& request, TimeMs now,
                                                     bool shorten, SimRandom& random) const {
    ++*pages_alive_;
    const std::shared_ptr<engine::Page> page(new engine::Page,
                                             [alive = pages_alive_](const engine::Page* dead) {
                                                 --*alive;
                                                 delete dead;
                                             });
    page->read_at = now;
    const std::uint64_t rows_max = shorten ? 1 + random.below(request.rows_max) : request.rows_max;
    std::vector<bool> has_entity(names_.size(), false);
    std::uint64_t looked_at = 0;
    for (const engine::Interval& interval : request.revisions.intervals()) {
        for (Revision revision = interval.first; revision <= std::min(interval.last, end_); ++revision) {
            const HistoryRow& found = row(revision);
            if (found.fate != Fate::committed) continue;
            if (looked_at >= rows_max || page->bytes() >= request.bytes_max) return page;
            ++looked_at;
            page->seen.insert(revision);
            page->covered_through = revision;
            if (!request.latest) {
                put(*page, found);
            } else if (!has_entity[found.entity]) {
                has_entity[found.entity] = true;
                put(*page, *latest(found.entity));
            }
        }
    }
    page->complete = true;
    page->covered_through = request.revisions.highest();
    return page;
}

}  // namespace pawl::simulation
