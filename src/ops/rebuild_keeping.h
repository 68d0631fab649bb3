// The steps of a rebuild that concern the rows of an outbox (ops/rebuild_outbox.h says why there are any). In
// revision mode none of them does anything.
#pragma once

#include <optional>
#include <utility>

#include "base/error.h"
#include "base/time.h"
#include "config/config.h"
#include "index/rebuild_index.h"
#include "index/server.h"
#include "ops/log.h"
#include "ops/rebuild_outbox.h"
#include "ops/rebuild_plan.h"
#include "ops/verification.h"
#include "source/interrupt.h"

namespace pawl::ops {

class RebuildKeeping {
  public:
    // `config`, `pipeline` must outlive it.
    RebuildKeeping(const config::Config& config, const config::Pipeline& pipeline, index::Call call)
        : config_(config), pipeline_(pipeline), call_(std::move(call)) {}

    // The same, but for a rebuild that cannot go on, since rows may have been deleted of which its
    // half-filled index was never told: it begins anew.
    Result<RebuildStep> next(RebuildStep step);

    // Before the new index is made, and so before the fill reads anything: rows are kept from now on. Changes
    // nothing where there is a new index already. Error, kind decision: another rebuild is under way.
    Result<void> begin();

    // Before the swap: lets the outbox's ids be above all that are known, in the new index and of the live
    // one.
    Result<void> raise_ids(const index::Target& live);
    // Then: lets the new index say which one it replaces, so that the daemon will take it up.
    Result<void> tell_replaced(const index::RebuildIndices& indices);

    // After the swap, until nobody can delete a row for the old index any more: kept rows come back into the
    // outbox. Then nothing is kept any more. Success too when the watcher has ended it. Error, kind
    // unavailable: a pawl that has the lease does not see that its alias has moved, or a server stays away;
    // both for limits::take_up_wait_ms.
    Result<void> end(VerifyWatcher& watcher, Log& log);

    // Of a rebuild that is given up.
    Result<void> give_up();

  private:
    bool has_outbox() const { return pipeline_.source.outbox.has_value(); }
    Result<RebuildOutbox> outbox() { return RebuildOutbox::open(config_, pipeline_, interrupt_); }
    engine::Revision known_ids(const index::Target& live) const;
    Result<bool> look_and_let_go(std::optional<RebuildOutbox>& kept);
    Result<bool> let_go(RebuildOutbox& outbox);
    Result<void> carry_out(KeptAct act, RebuildOutbox& outbox, const index::Target& fresh,
                           const std::optional<engine::Remembered>& remembered);
    Result<void> tell_that_nothing_lacks(RebuildOutbox& outbox, const index::Target& fresh,
                                         engine::Remembered remembered);

    const config::Config& config_;
    const config::Pipeline& pipeline_;
    index::Call call_;
    source::Interrupt interrupt_;
    SinceOver over_;
};

}  // namespace pawl::ops
