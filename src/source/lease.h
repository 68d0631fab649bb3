// The lease of one pipeline: GET_LOCK on a MariaDB connection of its own. In outbox mode it is two locks,
// that of the alias and that of the outbox: pawl deletes what its own index has from there, so that a second
// pipeline, of another config and with another alias, would lose it.
//
// The lock belongs to the connection, so that it is free at once when the process dies. A process that is
// stopped, or cut off, is silent: the connection's wait_timeout is lease_silence_ms, after which MariaDB
// closes it. GET_LOCK is a lock of one server: on a Galera cluster, or behind a proxy that spreads
// connections, two pawls may both have it; versions keep the index right then too, as long as neither lags by
// gc_deletes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "config/config.h"
#include "engine/lease_term.h"
#include "engine/ports.h"
#include "source/connection.h"
#include "source/interrupt.h"

namespace pawl::source {

// "pawl/lex/0123456789abcdef": readable for an operator (SELECT IS_USED_LOCK(…)), and another one for each
// database and alias; the pipeline's name does not matter, since two pawls may call it differently. At most
// 64 characters, as many as every MariaDB takes.
std::string lease_name(const std::string& database, const std::string& alias);

// "pawl/outbox/pawl_outbox_lex/0123456789abcdef": the same for each outbox, however its name is spelled (a
// server may take Lex and lex for one table).
std::string outbox_lock_name(const std::string& database, const std::string& outbox);

// All locks of a pipeline's lease: the alias's first, then, in outbox mode, the outbox's.
std::vector<std::string> lease_locks(const std::string& database, const config::Pipeline& pipeline);

// All of them, or none, without waiting. False: another connection has one of them.
Result<bool> take_locks(Connection& connection, std::span<const std::string> locks);

// How many leases one process may have at a time: so many pipelines are spread over several pawls, and those
// of one that dies are taken over by the others as far as they have room. Any thread.
class LeaseBudget {
  public:
    explicit LeaseBudget(std::size_t leases_max) : left_(leases_max), leases_max_(leases_max) {}

    bool take();  // false: all are in use
    void give_back() { ++left_; }
    std::size_t leases_max() const { return leases_max_; }

  private:
    std::atomic<std::size_t> left_;
    const std::size_t leases_max_;
};

// A thread of its own, so that long reads cannot delay it. Destruction gives the lease back.
class MariaDbLease final : public engine::LeasePort {
  public:
    // All must outlive it. `term` is told what becomes of the lease.
    MariaDbLease(config::MariaDb settings, const config::Pipeline& pipeline, LeaseBudget& budget,
                 engine::Inbox& inbox, engine::LeaseTerm* term = nullptr);
    ~MariaDbLease() override;
    MariaDbLease(const MariaDbLease&) = delete;
    MariaDbLease& operator=(const MariaDbLease&) = delete;

    void ask() override;
    void give_back() override;

  private:
    void work();
    engine::Event answer();
    Result<engine::Lease> look();
    Result<void> connect();
    Result<bool> confirm();
    Result<engine::Lease> try_to_win();
    // For a person; empty: nobody.
    Result<std::string> who_has_it();
    Result<std::string> holder(const std::string& lock);
    void let_go();
    void tell(const engine::Lease& lease);
    // The one value of a statement that gives one; empty: NULL.
    Result<std::optional<std::string>> value_of(const std::string& sql);

    const config::MariaDb settings_;
    const std::vector<std::string> locks_;
    const std::string outbox_;  // empty: revision mode
    const std::string place_;   // for messages
    LeaseBudget& budget_;
    engine::Inbox& inbox_;
    engine::LeaseTerm* const term_;  // may be null
    Interrupt interrupt_;

    // The worker's own.
    std::optional<Connection> connection_;
    bool is_held_ = false;  // and counted in budget_

    std::mutex mutex_;
    std::condition_variable changed_;
    bool asked_ = false;     // guarded by mutex_
    bool is_over_ = false;   // guarded by mutex_: given back
    bool stopping_ = false;  // guarded by mutex_
    std::thread worker_;
};

}  // namespace pawl::source
