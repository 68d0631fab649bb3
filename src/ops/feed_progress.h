// How far a pipeline has come with what was there when it began, as lines for a person. Pure: the caller has
// the clock.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/time.h"

namespace pawl::ops {

class FeedProgress {
  public:
    // `say` takes a line; `doing` begins each.
    FeedProgress(std::string doing, std::function<void(const std::string&)> say)
        : doing_(std::move(doing)), say_(std::move(say)) {}

    // Of a history, or of rows of a table, whose number is an estimate and may be too small.
    enum class Of : std::uint8_t { revisions, rows };
    struct Place {
        std::uint64_t done = 0;  // read so far
        std::uint64_t end = 0;   // 0: not known yet
        Of of = Of::revisions;
    };
    // Says something at most every limits::progress_interval_ms: "…: 42 % (420000 of 1000000 revisions),
    // 31000 revisions/s, 19 s left"; of rows "…: 42 % (420000 of about 1000000 rows), …", or "…: 420000 rows,
    // 31000 rows/s" where nobody knows how many there will be. Nothing where there is nothing to wait for, or
    // where nothing has been done since.
    void look(const Place& place, TimeMs now);

  private:
    struct Seen {
        Place place;
        TimeMs at = 0;
    };
    std::string doing_;
    std::function<void(const std::string&)> say_;
    std::optional<Seen> before_;  // the last line, or what has stood still since
};

}  // namespace pawl::ops
