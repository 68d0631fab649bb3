#include "ops/table_side.h"

#include <algorithm>
#include <iterator>

#include "index/document_get.h"
#include "ops/limits.h"
#include "verify/judge.h"
#include "verify/limits.h"

namespace pawl::ops {
namespace {

using verify::Suspect;

std::vector<std::string> ids_of(std::span<const Suspect> suspects) {
    std::vector<std::string> ids;
    ids.reserve(suspects.size());
    for (const Suspect& suspect : suspects)
        ids.push_back(suspect.entity);
    return ids;
}

bool is_same_write(const std::optional<index::DocumentNow>& left,
                   const std::optional<index::DocumentNow>& right) {
    if (!left || !right) return !left && !right;
    return left->version == right->version && left->seq_no == right->seq_no &&
           left->primary_term == right->primary_term;
}

// Its row waits in the outbox until the index takes the document, and the index, or the journal, names it.
bool is_owed(const std::vector<engine::Revision>& pending, const Settled& settled) {
    return std::ranges::any_of(pending,
                               [&](engine::Revision revision) { return settled.owed.contains(revision); });
}

}  // namespace

Result<std::uint64_t> TableSide::walk(std::uint64_t round, const VerifyVisit& visit) {
    std::uint64_t visited = 0;
    std::string after;
    for (;;) {
        const auto page = view_.read(after, limits::verify_page_rows, limits::verify_page_bytes);
        if (!page) return std::unexpected(page.error());
        for (const engine::Row& row : (*page)->rows()) {
            if (!has_an_id(row) || prints_.is_left_out(row.entity)) continue;
            prints_.visit(row.entity, 0, row.document, visit);
            ++visited;
        }
        if (!world_.watcher.goes_on({VerifyStage::table, round, visited})) return ended_while_comparing();
        if ((*page)->complete) return visited;
        after = (*page)->table_through;
    }
}

Result<Seen> TableSide::look_at(const std::vector<Suspect>& suspects) {
    auto seen = look_once(suspects);
    if (!seen || seen->differences.empty()) return seen;
    if (!world_.watcher.wait(limits::verify_look_pause_ms)) return ended_while_looking();
    std::vector<Suspect> doubtful;
    doubtful.reserve(seen->differences.size());
    for (const Difference& difference : seen->differences)
        doubtful.push_back({difference.entity, std::nullopt});
    auto again = look_once(doubtful);
    if (!again) return again;
    std::ranges::move(seen->unsettled, std::back_inserter(again->unsettled));
    std::ranges::move(seen->quarantined, std::back_inserter(again->quarantined));
    return again;
}

Result<Seen> TableSide::look_once(const std::vector<Suspect>& suspects) {
    const auto settled =
        settled_now(world_.config, world_.pipeline, world_.nobody_else_feeds, basis_.target, basis_.settled);
    if (!settled) return std::unexpected(settled.error());
    Seen seen;
    for (std::size_t at = 0; at < suspects.size(); at += limits::verify_chunk) {
        const auto chunk =
            std::span(suspects).subspan(at, std::min(limits::verify_chunk, suspects.size() - at));
        const auto looked = look(ids_of(chunk));
        if (!looked) return std::unexpected(looked.error());
        judge(chunk, *looked, *settled, seen);
        if (!goes_on_after(at + chunk.size())) return ended_while_looking();
        if (seen.differences.size() > verify::limits::differences_max) break;
    }
    return seen;
}

Result<TableSide::Look> TableSide::look(std::span<const std::string> ids) {
    const std::string& index = basis_.target.identity.index;
    auto before = index::get_documents(world_.call, index, ids, false);
    if (!before) return std::unexpected(std::move(before.error()));
    auto source = view_.look_at(ids);
    if (!source) return std::unexpected(std::move(source.error()));
    auto after = index::get_documents(world_.call, index, ids, prints_.content());
    if (!after) return std::unexpected(std::move(after.error()));
    const auto end = view_.history_end();
    if (!end) return std::unexpected(end.error());
    return Look{.before = std::move(*before),
                .source = std::move(*source),
                .after = std::move(*after),
                .outbox_end = *end};
}

void TableSide::judge(std::span<const Suspect> suspects, const Look& look, const Settled& settled,
                      Seen& seen) {
    for (std::size_t at = 0; at < suspects.size(); ++at) {
        const auto& document = look.after[at];
        const auto& row = look.source.rows[at];
        verify::TableLooked looked{.is_pending = !look.source.pending[at].empty(),
                                   .has_changed = !is_same_write(look.before[at], document),
                                   .indexed = {},
                                   .outbox_end = look.outbox_end,
                                   .has_row = row.has_value()};
        if (document) looked.indexed = document->version;
        if (document && row) looked.same_content = same_content(*document, *row);
        const verify::Verdict verdict = verify::judge(looked);
        if (verdict.finding == verify::Finding::equal) continue;
        const std::string& entity = suspects[at].entity;
        if (settled.quarantined.contains(entity) || is_owed(look.source.pending[at], settled)) {
            seen.quarantined.push_back(entity);
            continue;
        }
        if (verdict.finding == verify::Finding::unsettled) {
            seen.unsettled.push_back(suspects[at]);
            continue;
        }
        Difference difference{.entity = entity,
                              .kind = verdict.kind,
                              .indexed = looked.indexed,
                              .latest = {},
                              .has_row = looked.has_row,
                              .is_foreign = looked.indexed && *looked.indexed > looked.outbox_end,
                              .can_be_healed = verdict.can_be_healed,
                              .document = document.value_or(index::DocumentNow{})};
        difference.document.source.clear();
        seen.differences.push_back(std::move(difference));
    }
}

// A row that makes no document has none to be the same as.
bool TableSide::same_content(const index::DocumentNow& document, const engine::Row& row) {
    if (row.action != engine::Action::index) return false;
    return !prints_.content() || digester_.digest_of(document.source) == digester_.digest_of(row.document);
}

}  // namespace pawl::ops
