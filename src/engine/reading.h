// Decides what is read next. One read of a pipeline is under way at a time.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "engine/batch_work.h"
#include "engine/ledger.h"
#include "engine/limits.h"
#include "engine/request.h"

namespace pawl::engine {

class Reading {
  public:
    enum class Purpose : std::uint8_t {
        batch,       // rows of an open batch: replay after a crash, or rows that have grown stale
        quarantine,  // latest rows of entities that an operator wants tried again
        gaps,        // late commits
        tail,        // what is above high
    };

    struct Asked {
        ReadRequest request;
        Purpose purpose = Purpose::tail;
        BatchId batch = 0;  // of Purpose::batch
        // What engine/gap_closing.h knew when this was asked for.
        Revision proven_through = 0;
        Revision given_up_through = 0;
    };

    explicit Reading(const Limits& limits) : limits_(limits) {}

    // Rows up to `revision` are read as their entity's latest, since the index may hold, or have held,
    // something newer than the row: an old row could raise a deleted document whose tombstone expired. So
    // after a start, and when a latest row above high was sent ahead of its turn.
    void latest_through(Revision revision) { latest_through_ = std::max(latest_through_, revision); }

    // What to read now, if anything. `room`: whether a new batch may be opened; `tail_due`: whether it is
    // time to look above high. Called only while no read is under way.
    std::optional<Asked> next(const Ledger& ledger, const std::map<BatchId, BatchWork>& works, bool room,
                              bool tail_due, TimeMs now) const;

    // A page has come for this request.
    void took(const Asked& asked, const Page& page, TimeMs now);

    // The end of the history was seen, and all gaps were looked at after that.
    bool caught_up(const Ledger& ledger) const {
        const bool at_end = tail_complete_ || ledger.pipeline().high == journal::revision_max;
        return at_end && (ledger.gaps().empty() || !gaps_due_);
    }
    // A round over the gaps is to begin, or is under way.
    bool gaps_due() const { return gaps_due_; }
    bool tail_complete() const { return tail_complete_; }

    // All begins again: what is under way is forgotten.
    void reset();

  private:
    ReadRequest request(IntervalSet revisions, bool latest) const;
    IntervalSet gaps_to_look_at(const Ledger& ledger) const;

    Limits limits_;
    Revision latest_through_ = 0;
    bool tail_complete_ = false;  // the last read of the tail reached the end
    // Gaps are looked at in rounds, since one read may not cover them all.
    bool gaps_due_ = false;
    bool gaps_read_last_ = false;  // the last page was one of them
    Revision gaps_covered_ = 0;    // in this round
    TimeMs gaps_round_began_ = 0;
    TimeMs gaps_next_at_ = 0;  // the next round
};

}  // namespace pawl::engine
