// Looks at single entities exactly: the index first, by realtime get, then the history's latest rows.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ops/verification.h"
#include "ops/verify_basis.h"
#include "source/history_view.h"
#include "verify/json_digest.h"
#include "verify/suspects.h"

namespace pawl::ops {

// What came of it. Those that are equal are in none of the lists.
struct Seen {
    std::vector<Difference> differences;
    std::vector<verify::Suspect> unsettled;
    std::vector<std::string> quarantined;
};

class ExactLook {
  public:
    // All must outlive it. `content`: documents are compared too, by `digester`; the view reads them then.
    ExactLook(const VerifyWorld& world, const VerifyBasis& basis, source::HistoryView& view,
              verify::JsonDigester& digester, bool content)
        : world_(world), basis_(basis), view_(view), digester_(digester), content_(content) {}

    // What is settled is asked for anew, once, before anything else.
    Result<Seen> look_at(const std::vector<verify::Suspect>& suspects);

    // Calls `after` when all of a chunk is looked at, with how many there are by now; false ends it.
    void on_chunk(std::function<bool(std::uint64_t)> after) { after_chunk_ = std::move(after); }

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
    source::HistoryView& view_;
    verify::JsonDigester& digester_;
    bool content_;
    std::function<bool(std::uint64_t)> after_chunk_;
};

}  // namespace pawl::ops
