// Which of several URLs the next request goes to. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/time.h"

namespace pawl::index {

// Requests stay with one URL until it fails; then they move to the next one round the list, and the failed
// one rests.
class UrlRotation {
  public:
    explicit UrlRotation(std::size_t count) : rests_until_(count, 0) {}

    // The URL for a request that has tried `tried` (one flag for each URL) already. A resting one is taken
    // only when no other is left. nullopt: all were tried. `now`: any clock that does not go back.
    std::optional<std::size_t> pick(const std::vector<bool>& tried, TimeMs now) const;
    void failed(std::size_t url, TimeMs now);
    void succeeded(std::size_t url) { rests_until_[url] = 0; }

  private:
    std::vector<TimeMs> rests_until_;
    std::size_t current_ = 0;
};

}  // namespace pawl::index
