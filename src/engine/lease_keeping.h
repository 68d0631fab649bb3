// Whether this pawl may feed the pipeline: what is known of its lease, and when it is asked for again.
//
// MariaDB gives the lock of a connection that has been silent for lease_silence_ms to whoever asks next. A
// confirmation counts for a shorter time than that, so that a process that was stopped or cut off finds its
// own lease expired before another one can have won it. A connection that is cut where MariaDB sees it at
// once is another matter: the lock may be another one's for up to lease_valid_ms before this one knows. For
// so short a time two may send; versions make that harmless, as no tombstone expires meanwhile.
#pragma once

#include <optional>

#include "base/time.h"
#include "engine/errand.h"
#include "engine/request.h"

namespace pawl::engine {

class LeaseKeeping {
  public:
    bool wants_to_ask() const { return !asking_.under_way() && !resting_; }
    void asked() { asking_.begin(); }

    enum class Turn : std::uint8_t { none, won, lost };
    // `resting` until rested() is called.
    Turn answered(const Lease& lease, TimeMs now);
    Turn failed();
    void rested() { resting_ = false; }

    // Won, and not known to be lost.
    bool ours() const { return ours_; }
    // The same, and confirmed lately: something may be sent.
    bool holds_at(TimeMs now) const { return ours_ && now < valid_until_; }
    // Since when another one is known to have it.
    std::optional<TimeMs> taken_since() const { return taken_since_; }

  private:
    Errand asking_;
    bool resting_ = false;
    bool ours_ = false;
    TimeMs valid_until_ = 0;
    std::optional<TimeMs> taken_since_;
};

}  // namespace pawl::engine
