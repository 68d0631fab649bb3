// A connection to MariaDB on which a rebuild asks, with the lease and the transaction that it may have. It
// lives as long as anything is asked on it, also when the call that asked is dead.
#pragma once

#include <optional>
#include <utility>

#include "tests/simulation/sim_lock.h"
#include "tests/simulation/sim_outbox.h"
#include "tests/simulation/sim_ports.h"

namespace pawl::simulation {

class SimConnection {
  public:
    explicit SimConnection(const SimShared& world)
        : world_(world), restarts_(world.weather.source_restarts) {}
    // As SimLease's: mostly the server sees at once that a process is gone.
    ~SimConnection();
    SimConnection(const SimConnection&) = delete;
    SimConnection& operator=(const SimConnection&) = delete;

    // The server has not been started anew since.
    bool is_open() const { return restarts_ == world_.weather.source_restarts; }
    // False: somebody else has it. One connection has one lease at most.
    bool take_lease(SimLock& lock);
    // While the server works for it, it is not silent.
    void keep_alive();
    // Ends both.
    void close();

    // Moves so many rows through this id from one table to the other; false: there are none. Nobody sees it
    // before the commit.
    bool begin_hand_over(SimKeptRows& from, SimOutbox& to, Revision through, std::size_t rows_max);
    bool commit_hand_over();

  private:
    struct HandOver {
        SimKeptRows& from;
        SimOutbox& to;
        SimOutbox::CleanUp taken;
        SimOutbox::CleanUp given;
    };
    SimShared world_;
    std::uint64_t restarts_;
    SimLock* lock_ = nullptr;
    SimLock::Session session_ = 0;
    std::optional<HandOver> hand_over_;
};

}  // namespace pawl::simulation
