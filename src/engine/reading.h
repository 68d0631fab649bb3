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
        repair,      // latest rows of entities whose documents were found to differ
        gaps,        // late commits
        fill,        // what an empty index needs of the history that was there at the beginning
        table,       // outbox mode, first fill: rows of the table itself
        tail,        // what is above high
    };

    struct Asked {
        ReadRequest request;
        Purpose purpose = Purpose::tail;
        BatchId batch = 0;  // of Purpose::batch
        // What engine/gap_closing.h knew when this was asked for.
        Revision proven_through = 0;
        Revision given_up_through = 0;
        std::uint64_t looks = 0;  // of Purpose::tail: look_again()s until then
    };

    explicit Reading(const Limits& limits) : limits_(limits) {}

    // Rows up to `revision` are read as their entity's latest, since the index may hold, or have held,
    // something newer than the row: an old row could raise a deleted document whose tombstone expired. So
    // after a start, and when a latest row above high was sent ahead of its turn.
    void latest_through(Revision revision) { latest_through_ = std::max(latest_through_, revision); }

    // Nothing was in the index when the pipeline began: up to `revision` only each entity's latest row is
    // read.
    void fill_through(Revision revision) { fill_through_ = revision; }

    // Nothing above `revision` is read: who wants to come to an end must not run after those who write.
    void end_tail_at(Revision revision) { tail_end_ = revision; }
    // Outbox mode: that end must not be below `revision`, the highest that rows were renewed with. An end at
    // revision_max, for want of knowledge, becomes this one.
    void raise_end_to(Revision revision) {
        if (revision <= tail_end_ && tail_end_ != journal::revision_max) return;
        tail_end_ = revision;
        look_again();
    }
    // Outbox mode: rows were renewed. A read that is under way, or the last one, may have missed them.
    void look_again() {
        ++looks_;
        tail_complete_ = false;
    }
    // High may have come to that end by a row that went ahead of its turn, without a read of the tail.
    void look_for_end(const Ledger& ledger) {
        if (ledger.pipeline().high >= tail_end_ && !ledger.pipeline().fill) see_end();
    }

    // The entities of these rows are to be sent again, once, as their latest rows.
    void repair(const IntervalSet& revisions) {
        for (const Interval& interval : revisions.intervals())
            repairs_.insert(interval);
    }

    // What to read now, if anything. `room`: whether a new batch may be opened; `tail_due`: whether it is
    // time to look above high. Called only while no read is under way.
    std::optional<Asked> next(const Ledger& ledger, const std::map<BatchId, BatchWork>& works, bool room,
                              bool tail_due, TimeMs now) const;

    // Of Purpose::table: there is nothing after this page.
    static bool is_end_of_table(const Asked& asked, const Page& page);

    // A page has come for this request.
    void took(const Asked& asked, const Page& page, TimeMs now);

    // The end of the history, or of what is to be read of it, was seen, and all gaps were looked at after
    // that.
    bool caught_up(const Ledger& ledger) const {
        const bool repaired = repairs_.empty() || repairs_.lowest() > tail_end_;
        return tail_complete_ && repaired && (ledger.gaps().empty() || !gap_round_.due);
    }
    // A round over the gaps is to begin, or is under way.
    bool gaps_due() const { return gap_round_.due; }
    bool tail_complete() const { return tail_complete_; }

    // All begins again: what is under way is forgotten, but for repairs.
    void reset();

  private:
    void see_end();
    ReadRequest request(IntervalSet revisions, bool latest) const;
    IntervalSet gaps_to_look_at(const Ledger& ledger) const;
    std::optional<Asked> next_of_table(const journal::Fill& fill) const;

    Limits limits_;
    Revision latest_through_ = 0;
    Revision fill_through_ = 0;
    Revision tail_end_ = journal::revision_max;
    IntervalSet repairs_;
    std::optional<std::string> table_after_;  // how far the fill has read, when it has
    bool table_read_ = false;                 // all of it; its batches may be under way
    std::uint64_t looks_ = 0;
    bool tail_complete_ = false;   // the last read of the tail reached its end
    bool gaps_read_last_ = false;  // the last page was one of gaps
    // Gaps are looked at in rounds, since one read may not cover them all.
    struct GapRound {
        bool due = false;      // or under way
        Revision covered = 0;  // by now; 0: it has not begun
        TimeMs began = 0;
        TimeMs next_at = 0;  // the round after it, where none is due before
    };
    GapRound gap_round_;
};

}  // namespace pawl::engine
