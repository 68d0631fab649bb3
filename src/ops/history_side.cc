#include "ops/history_side.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "ops/limits.h"
#include "verify/limits.h"

namespace pawl::ops {

using verify::Suspect;

Result<std::uint64_t> HistorySide::walk(std::uint64_t round, const VerifyVisit& visit) {
    std::uint64_t visited = 0;
    const engine::Revision through = basis_.settled.revision;
    for (engine::Revision from = 1; from <= through;) {
        const auto page = view_.read({.id = 0,
                                      .revisions = engine::IntervalSet({{from, through}}),
                                      .rows_max = limits::verify_page_rows,
                                      .bytes_max = limits::verify_page_bytes,
                                      .fill = true});
        if (!page) return std::unexpected(page.error());
        for (const engine::Row& row : (*page)->rows()) {
            const bool lives = row.action != engine::Action::remove;
            if (!lives || !has_an_id(row) || prints_.is_left_out(row.entity)) continue;
            prints_.visit(row.entity, row.revision, row.document, visit);
            ++visited;
        }
        from = (*page)->covered_through + 1;
        if (!world_.watcher.goes_on({VerifyStage::history, round, visited})) return ended_while_comparing();
    }
    return visited;
}

Result<Seen> HistorySide::look_at(const std::vector<Suspect>& suspects) {
    const auto settled =
        settled_now(world_.config, world_.pipeline, world_.nobody_else_feeds, basis_.target, basis_.settled);
    if (!settled) return std::unexpected(settled.error());
    Seen seen;
    for (std::size_t at = 0; at < suspects.size(); at += limits::verify_chunk) {
        const auto chunk =
            std::span(suspects).subspan(at, std::min(limits::verify_chunk, suspects.size() - at));
        if (auto looked = look_at_chunk(chunk, *settled, seen); !looked)
            return std::unexpected(std::move(looked.error()));
        if (!goes_on_after(at + chunk.size())) return ended_while_looking();
        if (seen.differences.size() > verify::limits::differences_max) break;
    }
    return seen;
}

Result<void> HistorySide::look_at_chunk(std::span<const Suspect> suspects, const Settled& settled,
                                        Seen& seen) {
    std::vector<std::string> ids;
    for (const Suspect& suspect : suspects)
        ids.push_back(suspect.entity);
    const auto documents = index::get_documents(world_.call, basis_.target.identity.index, ids, content_);
    if (!documents) return std::unexpected(documents.error());
    const auto rows = latest_rows(suspects);
    if (!rows) return std::unexpected(rows.error());
    const auto indexed_is_row = are_rows(suspects, *documents, *rows);
    if (!indexed_is_row) return std::unexpected(indexed_is_row.error());
    for (std::size_t at = 0; at < suspects.size(); ++at) {
        const auto& document = (*documents)[at];
        const auto& row = (*rows)[at];
        verify::Looked looked;
        looked.settled = settled.revision;
        looked.at_fixed = suspects[at].at_fixed;
        if (document) looked.indexed = document->version;
        if (row) looked.latest = row->latest;
        looked.indexed_is_row = (*indexed_is_row)[at];
        if (content_ && document && row)
            looked.same_content = digester_.digest_of(document->source) == row->content;
        const verify::Verdict verdict = verify::judge(looked);
        if (verdict.finding == verify::Finding::equal) continue;
        if (is_left_out(suspects[at], row, settled)) {
            seen.quarantined.push_back(suspects[at].entity);
            continue;
        }
        if (verdict.finding == verify::Finding::unsettled) {
            seen.unsettled.push_back(suspects[at]);
            continue;
        }
        Difference difference{.entity = suspects[at].entity,
                              .kind = verdict.kind,
                              .indexed = looked.indexed,
                              .latest = {},
                              .can_be_healed = verdict.can_be_healed,
                              .document = document.value_or(index::DocumentNow{})};
        difference.document.source.clear();
        difference.has_row = row.has_value();
        if (row) {
            difference.latest = row->latest.revision;
            difference.deletes = row->latest.deletes;
        }
        seen.differences.push_back(std::move(difference));
    }
    return {};
}

// By a row where one is known: the server then compares column with column. Else by the id.
Result<HistorySide::Rows> HistorySide::latest_rows(std::span<const Suspect> suspects) {
    Rows rows(suspects.size());
    std::vector<std::string> unknown;
    engine::IntervalSet known;
    for (const Suspect& suspect : suspects) {
        if (suspect.at_fixed)
            known.insert(*suspect.at_fixed);
        else
            unknown.push_back(suspect.entity);
    }
    if (!known.empty())
        if (auto read = read_rows(known, true, suspects, rows); !read)
            return std::unexpected(std::move(read.error()));
    if (unknown.empty()) return rows;
    const auto latest = view_.latest_of(unknown);
    if (!latest) return std::unexpected(latest.error());
    engine::IntervalSet found;
    for (const auto& revision : *latest)
        if (revision) found.insert(*revision);
    if (!found.empty())
        if (auto read = read_rows(found, false, suspects, rows); !read)
            return std::unexpected(std::move(read.error()));
    return rows;
}

Result<void> HistorySide::read_rows(const engine::IntervalSet& revisions, bool latest,
                                    std::span<const Suspect> suspects, Rows& rows) {
    std::unordered_map<std::string_view, std::size_t> places;
    for (std::size_t at = 0; at < suspects.size(); ++at)
        places.emplace(suspects[at].entity, at);
    engine::IntervalSet left = revisions;
    while (!left.empty()) {
        const auto page = view_.read({.id = 0,
                                      .revisions = left,
                                      .rows_max = limits::verify_page_rows,
                                      .bytes_max = limits::verify_page_bytes,
                                      .latest = latest});
        if (!page) return std::unexpected(page.error());
        for (const engine::Row& row : (*page)->rows()) {
            const auto place = places.find(row.entity);
            if (place == places.end()) continue;
            auto& into = rows[place->second];
            if (into && into->latest.revision >= row.revision) continue;
            into = Row{.latest = {row.revision, row.action == engine::Action::remove}, .content = 0};
            if (content_ && row.action == engine::Action::index)
                into->content = digester_.digest_of(row.document);
        }
        left.erase(
            engine::IntervalSet({{0, (*page)->complete ? journal::revision_max : (*page)->covered_through}}));
    }
    return {};
}

// Of documents with an older version than the latest row: whether it is a row's.
Result<std::vector<bool>> HistorySide::are_rows(std::span<const Suspect> suspects, const Documents& documents,
                                                const Rows& rows) {
    engine::LookUpRequest request;
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at < suspects.size(); ++at) {
        if (!documents[at] || !rows[at] || documents[at]->version >= rows[at]->latest.revision) continue;
        places.push_back(at);
        request.versions.push_back({suspects[at].entity, documents[at]->version});
    }
    std::vector<bool> are(suspects.size(), true);
    if (places.empty()) return are;
    const auto answer = view_.look_up(request);
    if (!answer) return std::unexpected(answer.error());
    for (std::size_t asked = 0; asked < places.size(); ++asked)
        are[places[asked]] = answer->versions[asked];
    return are;
}

bool HistorySide::is_left_out(const Suspect& suspect, const std::optional<Row>& row,
                              const Settled& settled) const {
    return settled.quarantined.contains(suspect.entity) ||
           (row && settled.owed.contains(row->latest.revision));
}

}  // namespace pawl::ops
