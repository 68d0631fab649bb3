#include "ops/verify_sides.h"

#include <algorithm>

#include "index/document_scan.h"
#include "index/limits.h"

namespace pawl::ops {

void VerifyPrints::visit(std::string_view entity, engine::Revision revision, std::string_view document,
                         const VerifyVisit& visit) const {
    const auto hash = verify::hash_of(entity, seed_);
    const std::uint64_t content = content_ ? digester_.digest_of(document) : 0;
    const engine::Revision told_apart = revision > alike_through_ ? revision : 0;
    visit({entity, hash, revision, verify::fingerprint(hash, told_apart, content)});
}

IndexSide::IndexSide(const VerifyWorld& world, const VerifyBasis& basis, const VerifyPrints& prints)
    : world_(world),
      basis_(basis),
      prints_(prints),
      page_documents_(prints.content() ? index::limits::scan_documents_with_source
                                       : index::limits::scan_documents) {}

bool IndexSide::shrink_pages() {
    constexpr std::size_t divisor = 8;
    if (page_documents_ == 1) return false;
    page_documents_ = std::max<std::size_t>(page_documents_ / divisor, 1);
    return true;
}

Result<std::uint64_t> IndexSide::walk(std::uint64_t round, const VerifyVisit& visit) {
    const std::string& index = basis_.target.identity.index;
    if (auto refreshed = index::refresh_index(world_.call, index); !refreshed)
        return std::unexpected(std::move(refreshed.error()));
    const bool with_source = prints_.content();
    const std::size_t answer_bytes_max = with_source
                                             ? std::max<std::size_t>(index::limits::source_answer_bytes_max,
                                                                     2 * world_.pipeline.document_bytes_max)
                                             : index::limits::scan_answer_bytes_max;
    index::DocumentScan scan(world_.call, index,
                             {.with_source = with_source,
                              .page_documents = page_documents_,
                              .answer_bytes_max = answer_bytes_max});
    std::uint64_t visited = 0;
    for (;;) {
        const auto more = scan.next([&](const index::ScannedDocument& document) {
            if (prints_.is_left_out(document.id)) return;
            prints_.visit(document.id, document.version, document.source, visit);
            ++visited;
        });
        if (!more) return std::unexpected(more.error());
        if (!*more) return visited;
        if (!world_.watcher.goes_on({VerifyStage::index, round, visited})) return ended_while_comparing();
    }
}

std::unexpected<Error> ended_while_comparing() {
    return fail(ErrorKind::unavailable, "ended before both sides were compared");
}

std::unexpected<Error> ended_while_looking() {
    return fail(ErrorKind::unavailable, "ended before all was looked at");
}

bool has_an_id(const engine::Row& row) {
    return row.action != engine::Action::invalid || !row.error.starts_with("entity_");
}

}  // namespace pawl::ops
