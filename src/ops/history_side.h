// The history's side of a comparison. Single entities are looked at in the index first, by realtime get, then
// by the history's latest rows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ops/verification.h"
#include "ops/verify_basis.h"
#include "ops/verify_sides.h"
#include "source/history_view.h"
#include "verify/json_digest.h"
#include "verify/suspects.h"

namespace pawl::ops {

class HistorySide final : public SourceSide {
  public:
    // All must outlive it but the view, which reads documents where these are compared.
    HistorySide(const VerifyWorld& world, const VerifyBasis& basis, const VerifyPrints& prints,
                verify::JsonDigester& digester, source::HistoryView view)
        : world_(world),
          basis_(basis),
          prints_(prints),
          view_(std::move(view)),
          digester_(digester),
          content_(prints.content()) {}

    Result<std::uint64_t> walk(std::uint64_t round, const VerifyVisit& visit) override;

    Result<Seen> look_at(const std::vector<verify::Suspect>& suspects) override;

  private:
    struct Row {
        verify::Latest latest;
        std::uint64_t content = 0;
    };
    using Rows = std::vector<std::optional<Row>>;
    using Documents = std::vector<std::optional<index::DocumentNow>>;

    Result<void> look_at_chunk(std::span<const verify::Suspect> suspects, const Settled& settled, Seen& seen);
    Result<Rows> latest_rows(std::span<const verify::Suspect> suspects);
    Result<void> read_rows(const engine::IntervalSet& revisions, bool latest,
                           std::span<const verify::Suspect> suspects, Rows& rows);
    Result<std::vector<bool>> are_rows(std::span<const verify::Suspect> suspects, const Documents& documents,
                                       const Rows& rows);
    bool is_left_out(const verify::Suspect& suspect, const std::optional<Row>& row,
                     const Settled& settled) const;

    const VerifyWorld& world_;
    const VerifyBasis& basis_;
    const VerifyPrints& prints_;
    source::HistoryView view_;
    verify::JsonDigester& digester_;
    bool content_;
};

}  // namespace pawl::ops
