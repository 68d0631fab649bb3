// Walks over one side of a comparison, page by page: what lives in the history at the fixed revision, and
// what the index holds. Entities in quarantine are left out on both sides.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "ops/verification.h"
#include "ops/verify_basis.h"
#include "source/history_view.h"
#include "verify/fingerprint.h"
#include "verify/json_digest.h"

namespace pawl::ops {

class VerifySides {
  public:
    struct Item {
        std::string_view entity;
        verify::EntityHash hash;
        engine::Revision revision = 0;  // the row's, or the document's version
        std::uint64_t fingerprint = 0;
    };
    using Visit = std::function<void(const Item&)>;

    // All must outlive it. `content`: fingerprints are of documents too; the view reads them then.
    VerifySides(const VerifyWorld& world, const VerifyBasis& basis, source::HistoryView& view,
                verify::JsonDigester& digester, bool content, std::uint64_t seed);

    // Each gives how many were visited; `round` is for the watcher.
    Result<std::uint64_t> walk_history(std::uint64_t round, const Visit& visit);
    // Kind too_large: shrink_pages() and begin anew, with all that was visited forgotten.
    Result<std::uint64_t> walk_index(std::uint64_t round, const Visit& visit);
    // False: pages of a single document were too large.
    bool shrink_pages();

  private:
    void visit_one(std::string_view entity, engine::Revision revision, std::string_view document,
                   const Visit& visit);
    bool is_left_out(std::string_view entity) const;

    const VerifyWorld& world_;
    const VerifyBasis& basis_;
    source::HistoryView& view_;
    verify::JsonDigester& digester_;
    bool content_;
    std::uint64_t seed_;
    std::size_t page_documents_;
};

}  // namespace pawl::ops
