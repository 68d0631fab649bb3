// Who waits for what after a failure, and since when nothing works.
#pragma once

#include <array>
#include <optional>

#include "base/error.h"
#include "base/time.h"
#include "engine/backoff.h"
#include "engine/event.h"
#include "engine/limits.h"

namespace pawl::engine {

// What can fail on its own and is tried again on its own.
enum class Lane : std::uint8_t { prepare, read, send, lease, clean_up };
inline constexpr std::size_t lanes = 5;

class Trouble {
  public:
    explicit Trouble(const Limits& limits);

    // The lane has to wait: no new attempt before its timer has fired. Returns the delay to set it to.
    DelayRange failed(Lane lane, ErrorKind kind, TimeMs now);
    void timer_fired(Lane lane) { state(lane).waiting = false; }
    // Returns true when this ends the trouble of all lanes.
    bool succeeded(Lane lane);

    bool waiting(Lane lane) const { return states_[static_cast<std::size_t>(lane)].waiting; }
    // Its last attempt failed.
    bool failing(Lane lane) const { return states_[static_cast<std::size_t>(lane)].since.has_value(); }
    bool any() const;
    // Since when something has been failing without a success in its lane; empty: nothing is.
    std::optional<TimeMs> since() const;

    static Timer timer_of(Lane lane);
    static std::optional<Lane> lane_of(Timer timer);

  private:
    struct State {
        Backoff backoff;
        bool waiting = false;
        std::optional<TimeMs> since;
    };
    State& state(Lane lane) { return states_[static_cast<std::size_t>(lane)]; }

    std::array<State, lanes> states_;
};

}  // namespace pawl::engine
