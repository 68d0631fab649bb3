// The side of a table with an outbox (outbox mode). There is no history and so no revision: documents are
// compared, always. An entity that the outbox still names is not settled, whatever it looks like.
//
// Single entities are looked at in the index, then in one snapshot of table and outbox, then in the index
// again (verify/judge.h says why). What differs is looked at a second time, a moment later, before it counts:
// for the entity that was deleted and added again in step with the looks, and for a server that lags.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ops/verification.h"
#include "ops/verify_basis.h"
#include "ops/verify_sides.h"
#include "source/table_view.h"
#include "verify/json_digest.h"
#include "verify/suspects.h"

namespace pawl::ops {

class TableSide final : public SourceSide {
  public:
    // All must outlive it but the view.
    TableSide(const VerifyWorld& world, const VerifyBasis& basis, const VerifyPrints& prints,
              verify::JsonDigester& digester, source::TableView view)
        : world_(world), basis_(basis), prints_(prints), view_(std::move(view)), digester_(digester) {}

    Result<std::uint64_t> walk(std::uint64_t round, const VerifyVisit& visit) override;
    Result<Seen> look_at(const std::vector<verify::Suspect>& suspects) override;

  private:
    // One look at some, on both sides.
    struct Look {
        std::vector<std::optional<index::DocumentNow>> before;
        source::EntitiesNow source;
        std::vector<std::optional<index::DocumentNow>> after;
        engine::Revision outbox_end = 0;
    };
    Result<Seen> look_once(const std::vector<verify::Suspect>& suspects);
    Result<Look> look(std::span<const std::string> ids);
    void judge(std::span<const verify::Suspect> suspects, const Look& look, const Settled& settled,
               Seen& seen);
    bool same_content(const index::DocumentNow& document, const engine::Row& row);

    const VerifyWorld& world_;
    const VerifyBasis& basis_;
    const VerifyPrints& prints_;
    source::TableView view_;
    verify::JsonDigester& digester_;
};

}  // namespace pawl::ops
