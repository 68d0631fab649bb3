// GET_LOCK of the simulated MariaDB: one lock, and the connections that ask for it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "engine/limits.h"
#include "engine/request.h"

namespace pawl::simulation {

class SimLock {
  public:
    using Session = std::uint64_t;  // a connection; never 0

    Session connect() { return ++last_session_; }

    // Empty: the server has closed the connection.
    std::optional<engine::Lease::Outcome> ask(Session session, TimeMs now) {
        if (now - heard_at_ > engine::limits::lease_silence_ms) lost_ = std::exchange(holder_, 0);
        if (session <= closed_through_ || session == lost_) return std::nullopt;
        if (holder_ != 0 && holder_ != session) return engine::Lease::Outcome::taken;
        heard_at_ = now;
        const bool held = std::exchange(holder_, session) == session;
        if (!held) won_at_ = now;
        if (!held) ++times_won_, last_winner_ = session;
        return held ? engine::Lease::Outcome::held : engine::Lease::Outcome::won;
    }

    bool is_held_by(Session session) const { return session != 0 && holder_ == session; }

    std::uint64_t times_won() const { return times_won_; }

    // Nobody else has won it since, though its connection may be gone.
    bool was_won_last_by(const std::set<Session>& sessions) const { return sessions.contains(last_winner_); }

    // Somebody else holds it since so long ago.
    bool is_held_by_another(const std::set<Session>& own, TimeMs now, TimeMs since) const {
        return holder_ != 0 && !own.contains(holder_) && now - won_at_ > since;
    }

    // The server sees the end of the connection.
    void close(Session session) {
        if (holder_ == session) holder_ = 0;
    }
    // The server restarts: no connection is left.
    void restart() {
        closed_through_ = last_session_;
        holder_ = 0;
    }

  private:
    Session last_session_ = 0;
    Session holder_ = 0;  // 0: nobody
    Session last_winner_ = 0;
    Session lost_ = 0;  // held it until it had been silent for too long
    Session closed_through_ = 0;
    TimeMs heard_at_ = 0;
    TimeMs won_at_ = 0;
    std::uint64_t times_won_ = 0;
};

}  // namespace pawl::simulation
