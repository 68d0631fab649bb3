// When the history is asked for a proof, and which missing revisions may be taken for dead.
//
// A revision is handed out at INSERT and seen at COMMIT, so what is missing may still come. It is dead for
// sure when a proof covers it and a read that began after the proof does not show it (engine/request.h,
// Proof). Without the privilege for a proof it is given up once it has been missing for gap_grace: that is a
// guess, and told.
#pragma once

#include <deque>

#include "base/time.h"
#include "engine/backoff.h"
#include "engine/limits.h"
#include "engine/request.h"

namespace pawl::engine {

class GapClosing {
  public:
    explicit GapClosing(const Limits& limits);

    bool under_way() const { return under_way_; }
    // Whether it is time for another one.
    bool wants_proof(TimeMs now) const { return !under_way_ && now >= next_at_; }
    // The gaps are about to be looked at: the next proof need not wait, unless the last one was refused.
    void hurry(TimeMs now);

    void asked() {
        under_way_ = true;
        forgotten_ = false;
    }
    void answered(const Proof& proof, TimeMs now);
    void failed(TimeMs now);
    // The server may be another one by now: what was proven of the one before counts no more, nor does the
    // answer that is still to come.
    void forget() {
        proven_through_ = 0;
        forgotten_ = under_way_;
    }
    // All is read again: nobody has missed anything yet.
    void begin() {
        forget();
        marks_.clear();
    }

    // All gaps have been looked at; they lie at or below high.
    void looked_at(Revision high, TimeMs now);

    // A revision at or below these is dead where a read that is asked for now does not show it.
    Revision proven_through() const { return proven_through_; }
    Revision given_up_through(TimeMs now) const;

    bool allowed() const { return allowed_; }

  private:
    // At this moment every gap at or below `high` was known.
    struct Mark {
        TimeMs at = 0;
        Revision high = 0;
    };

    TimeMs interval_ms_;
    TimeMs grace_ms_;
    Backoff backoff_;
    bool under_way_ = false;
    bool forgotten_ = false;
    bool allowed_ = true;
    bool failing_ = false;
    TimeMs next_at_ = 0;
    Revision proven_through_ = 0;
    std::deque<Mark> marks_;  // rising; at most limits::grace_marks_max + 1; only while not allowed
};

}  // namespace pawl::engine
