// The simulation's time and all its chance: what happens when, in one order that a seed decides.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/time.h"
#include "engine/ports.h"

namespace pawl::simulation {

inline constexpr TimeMs latency_max_ms = 40;  // of each way to a server, where nothing is wrong

// A promise that did not hold; thrown from wherever it was seen.
struct Violation {
    std::string text;
};

// Sudden death of the simulated process; thrown through the runner, which is then thrown away.
struct Crash {
    std::string boundary;  // "before:send_bulk"
};

class SimRandom final : public engine::Random {
  public:
    explicit SimRandom(std::uint64_t seed) : state_(seed) {}

    std::uint64_t below(std::uint64_t bound) override;
    // low … high, both included.
    TimeMs between(TimeMs low, TimeMs high);
    bool percent(std::uint64_t chance) { return below(100) < chance; }

  private:
    std::uint64_t state_;
};

// Things to come, in the order of their time; of equal times the one that was asked for first.
class SimClock {
  public:
    explicit SimClock(TimeMs start) : now_(start) {}

    TimeMs now() const { return now_; }
    void after(TimeMs delay, std::function<void()> happens);
    std::optional<TimeMs> next_time() const;
    // Goes on to `time` without doing anything; it must not be past the next thing to come.
    void advance_to(TimeMs time);
    // Does the next thing; there must be one.
    void do_next();
    // What is to come does not happen: the world ends.
    void forget_all() { to_come_.clear(); }

  private:
    TimeMs now_;
    std::uint64_t asked_ = 0;
    std::map<std::pair<TimeMs, std::uint64_t>, std::function<void()>> to_come_;
};

}  // namespace pawl::simulation
