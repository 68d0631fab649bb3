#include "tests/simulation/sim_history.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/assert.h"

namespace pawl::simulation {

engine::Action action_of(RowKind kind) {
    if (kind == RowKind::removed) return engine::Action::remove;
    return kind == RowKind::invalid ? engine::Action::invalid : engine::Action::index;
}

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
    rows_.push_back({rows_.size() + 1, entity, kind, Fate::open, ++inserts_});
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

RowKind SimHistory::kind_of(Revision revision, std::uint64_t) const {
    return revision <= rows_.size() ? row(revision).kind : RowKind::good;
}

bool SimHistory::is_removed(std::uint32_t entity) const {
    const HistoryRow* const found = latest(entity);
    return found != nullptr && found->kind == RowKind::removed;
}

bool SimHistory::is_foreign(std::uint32_t entity, Revision version) const {
    if (version == 0) return false;
    if (version > rows_.size()) return true;
    const HistoryRow& found = row(version);
    return found.entity != entity || found.fate != Fate::committed;
}

void SimHistory::restore_to(Revision revision) {
    PAWL_ASSERT(revision <= rows_.size());
    put_back({rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(revision)});
    std::fill(latest_.begin(), latest_.end(), 0);
    end_ = 0;
    for (const HistoryRow& row : rows_) {
        if (row.fate != Fate::committed) continue;
        latest_[row.entity] = row.revision;
        end_ = row.revision;
    }
}

void SimHistory::put_back(std::vector<HistoryRow> rows) {
    PAWL_ASSERT(open_rows_ == 0);
    rows_ = std::move(rows);
    ++restores_;
}

void SimHistory::forget_rows() {
    PAWL_ASSERT(open_rows_ == 0);
    rows_.clear();
    std::ranges::fill(latest_, 0);
    end_ = 0;
}

engine::LookUpAnswer SimHistory::look_up(const engine::LookUpRequest& request) const {
    const auto committed = [&](Revision revision) -> const HistoryRow* {
        if (revision == 0 || revision > rows_.size()) return nullptr;
        return row(revision).fate == Fate::committed ? &row(revision) : nullptr;
    };
    engine::LookUpAnswer answer{.history_end = end_, .shape = sim_shape};
    for (const Revision revision : request.anchors) {
        const HistoryRow* const found = committed(revision);
        answer.anchors.push_back(found == nullptr ? std::nullopt : std::optional(found->content));
    }
    for (const auto& [entity, revision] : request.versions) {
        const HistoryRow* const found = committed(revision);
        answer.versions.push_back(found != nullptr && found->entity == entity_of(entity));
    }
    return answer;
}

SimHistory::Scan SimHistory::scan(Revision through) const {
    Scan scan{.through = through, .restores = restores_, .is_there = {}, .is_latest = {}};
    std::vector<Revision> latest(names_.size(), 0);
    for (const HistoryRow& row : rows_)
        if (row.revision <= through && row.fate == Fate::committed) latest[row.entity] = row.revision;
    for (const HistoryRow& row : rows_) {
        if (row.revision > through) break;
        scan.is_there.push_back(row.fate == Fate::committed);
        scan.is_latest.push_back(latest[row.entity] == row.revision);
    }
    return scan;
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
    if (!page.anchor || page.anchor->revision < row.revision)
        page.anchor = journal::Anchor{row.revision, row.content};
}

std::shared_ptr<engine::Page> SimHistory::new_page(TimeMs now) const {
    ++*pages_alive_;
    std::shared_ptr<engine::Page> page(new engine::Page, [alive = pages_alive_](const engine::Page* dead) {
        --*alive;
        delete dead;
    });
    page->read_at = now;
    page->shape = sim_shape;
    return page;
}

std::shared_ptr<const engine::Page> SimHistory::read(const engine::ReadRequest& request, const Scan* scan,
                                                     TimeMs now, bool shorten, SimRandom& random) const {
    const std::shared_ptr<engine::Page> page = new_page(now);
    if (request.beside != 0)
        page->digest_beside = look_up({.id = 0, .anchors = {request.beside}}).anchors.front();
    const std::uint64_t rows_max = shorten ? 1 + random.below(request.rows_max) : request.rows_max;
    if (request.latest)
        read_latest(request, rows_max, random, *page);
    else if (scan != nullptr)
        read_fill(request, *scan, rows_max, *page);
    else
        read_rows(request, rows_max, *page);
    page->complete = page->covered_through == request.revisions.highest();
    return page;
}

void SimHistory::read_rows(const engine::ReadRequest& request, std::uint64_t rows_max,
                           engine::Page& page) const {
    for (const engine::Interval& interval : request.revisions.intervals()) {
        for (Revision revision = interval.first; revision <= std::min(interval.last, end_); ++revision) {
            const HistoryRow& found = row(revision);
            if (found.fate != Fate::committed) continue;
            if (page.rows().size() >= rows_max || page.bytes() >= request.bytes_max) return;
            page.seen.insert(revision);
            page.covered_through = revision;
            put(page, found);
        }
    }
    page.covered_through = request.revisions.highest();
}

void SimHistory::read_fill(const engine::ReadRequest& request, const Scan& scan, std::uint64_t rows_max,
                           engine::Page& page) const {
    for (const engine::Interval& interval : request.revisions.intervals()) {
        for (Revision revision = interval.first;
             revision <= std::min<Revision>(interval.last, scan.is_there.size()); ++revision) {
            if (!scan.is_there[revision - 1]) continue;
            if (page.rows().size() >= rows_max || page.bytes() >= request.bytes_max) return;
            page.seen.insert(revision);
            page.covered_through = revision;
            if (scan.is_latest[revision - 1]) put(page, row(revision));
        }
    }
    page.covered_through = request.revisions.highest();
}

void SimHistory::read_latest(const engine::ReadRequest& request, std::uint64_t rows_max, SimRandom& random,
                             engine::Page& page) const {
    std::vector<Found> found;
    std::vector<Revision> looked_at;
    std::vector<bool> known(names_.size(), false);
    page.covered_through = request.revisions.highest();
    for (const engine::Interval& interval : request.revisions.intervals()) {
        for (Revision revision = interval.first; revision <= std::min(interval.last, end_); ++revision) {
            const HistoryRow& one = row(revision);
            if (one.fate != Fate::committed) continue;
            if (looked_at.size() >= rows_max) {
                page.covered_through = std::min(page.covered_through, looked_at.back());
                continue;
            }
            looked_at.push_back(revision);
            if (!known[one.entity]) found.push_back({revision, latest_[one.entity]});
            known[one.entity] = true;
        }
    }
    std::size_t count = 1;  // the first goes alone: a page must get further than the one before
    for (std::size_t at = 0; at < found.size();) {
        const std::size_t end = std::min(found.size(), at + count);
        const std::size_t next = put_latest(found, at, end, request.bytes_max, page);
        if (next < end || page.bytes() > request.bytes_max) {
            if (next < found.size())
                page.covered_through = std::min(page.covered_through, found[next].first - 1);
            break;
        }
        at = next;
        count = 1 + random.below(found.size());
    }
    for (const Revision revision : looked_at)
        if (revision <= page.covered_through) page.seen.insert(revision);
    page.keep_rows([&](const engine::Row& kept) {
        return std::any_of(found.begin(), found.end(), [&](const Found& one) {
            return one.latest == kept.revision && one.first <= page.covered_through;
        });
    });
}

std::size_t SimHistory::put_latest(const std::vector<Found>& found, std::size_t at, std::size_t end,
                                   std::uint64_t bytes_max, engine::Page& page) const {
    std::vector<Revision> wanted;
    for (std::size_t place = at; place < end; ++place)
        wanted.push_back(found[place].latest);
    std::sort(wanted.begin(), wanted.end());
    Revision loaded = 0;
    for (const Revision revision : wanted) {
        put(page, row(revision));
        loaded = revision;
        if (page.bytes() > 2 * bytes_max) break;
    }
    while (at < end && found[at].latest <= loaded)
        ++at;
    return at;
}

}  // namespace pawl::simulation
