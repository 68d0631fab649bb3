#include "ops/verify_sides.h"

#include <algorithm>

#include "index/document_scan.h"
#include "index/limits.h"
#include "ops/limits.h"

namespace pawl::ops {
namespace {

std::unexpected<Error> ended() {
    return fail(ErrorKind::unavailable, "ended before both sides were compared");
}

// What is wrong with its id can be no document: it stands in quarantine.
bool has_an_id(const engine::Row& row) {
    return row.action != engine::Action::invalid || !row.error.starts_with("entity_");
}

}  // namespace

VerifySides::VerifySides(const VerifyWorld& world, const VerifyBasis& basis, source::HistoryView& view,
                         verify::JsonDigester& digester, bool content, std::uint64_t seed)
    : world_(world),
      basis_(basis),
      view_(view),
      digester_(digester),
      content_(content),
      seed_(seed),
      page_documents_(content ? index::limits::scan_documents_with_source : index::limits::scan_documents) {}

bool VerifySides::shrink_pages() {
    constexpr std::size_t divisor = 8;
    if (page_documents_ == 1) return false;
    page_documents_ = std::max<std::size_t>(page_documents_ / divisor, 1);
    return true;
}

bool VerifySides::is_left_out(std::string_view entity) const {
    return basis_.settled.quarantined.contains(entity);
}

void VerifySides::visit_one(std::string_view entity, engine::Revision revision, std::string_view document,
                            const Visit& visit) {
    const auto hash = verify::hash_of(entity, seed_);
    const std::uint64_t content = content_ ? digester_.digest_of(document) : 0;
    visit({entity, hash, revision, verify::fingerprint(hash, revision, content)});
}

Result<std::uint64_t> VerifySides::walk_history(std::uint64_t round, const Visit& visit) {
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
            if (!lives || !has_an_id(row) || is_left_out(row.entity)) continue;
            visit_one(row.entity, row.revision, row.document, visit);
            ++visited;
        }
        from = (*page)->covered_through + 1;
        if (!world_.watcher.goes_on({VerifyStage::history, round, visited})) return ended();
    }
    return visited;
}

Result<std::uint64_t> VerifySides::walk_index(std::uint64_t round, const Visit& visit) {
    const std::string& index = basis_.target.identity.index;
    if (auto refreshed = index::refresh_index(world_.call, index); !refreshed)
        return std::unexpected(std::move(refreshed.error()));
    const std::size_t answer_bytes_max = content_
                                             ? std::max<std::size_t>(index::limits::source_answer_bytes_max,
                                                                     2 * world_.pipeline.document_bytes_max)
                                             : index::limits::scan_answer_bytes_max;
    index::DocumentScan scan(
        world_.call, index,
        {.with_source = content_, .page_documents = page_documents_, .answer_bytes_max = answer_bytes_max});
    std::uint64_t visited = 0;
    for (;;) {
        const auto more = scan.next([&](const index::ScannedDocument& document) {
            if (is_left_out(document.id)) return;
            visit_one(document.id, document.version, document.source, visit);
            ++visited;
        });
        if (!more) return std::unexpected(more.error());
        if (!*more) return visited;
        if (!world_.watcher.goes_on({VerifyStage::index, round, visited})) return ended();
    }
}

}  // namespace pawl::ops
