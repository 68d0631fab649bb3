// How far a rebuild has come, as lines for a person. Pure: the caller has the clock.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "journal/record.h"

namespace pawl::ops {

class RebuildProgress {
  public:
    // `say` takes a line; `doing` begins each.
    RebuildProgress(std::string doing, std::function<void(const std::string&)> say)
        : doing_(std::move(doing)), say_(std::move(say)) {}

    struct Place {
        journal::Revision high = 0;  // read so far
        journal::Revision end = 0;   // of the history; 0: not known yet
    };
    // Says something at most every limits::progress_interval_ms: "…: 42 % (revision 420000 of 1000000),
    // 31000 revisions/s, 19 s left". Nothing where there is nothing to wait for.
    void look(const Place& place, TimeMs now);
    // The same where nobody knows how many rows there will be: "…: 420000 rows".
    void look_at_rows(std::uint64_t rows, TimeMs now);

  private:
    struct Seen {
        journal::Revision high = 0;
        TimeMs at = 0;
    };
    std::string doing_;
    std::function<void(const std::string&)> say_;
    std::optional<Seen> first_;
    TimeMs said_at_ = 0;
};

}  // namespace pawl::ops
