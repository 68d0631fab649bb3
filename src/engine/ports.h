// What the engine's runner needs of the world. src/source and src/index implement the first two for real, the
// simulation implements all; the contract tests of tests/contract run against both.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "engine/effect.h"
#include "engine/event.h"
#include "engine/request.h"
#include "journal/change.h"

namespace pawl::engine {

// Where answers go. Any thread may post; never blocks for long, never calls back.
class Inbox {
  public:
    virtual ~Inbox() = default;
    virtual void post(Event event) = 0;
};

// The history of one pipeline. Calls return at once; each is answered by exactly one event to the inbox that
// the port was made with. Called by one thread. At most one request of each kind is under way, but for
// `read`: reads are answered in the order they were asked. Destroying the port abandons what is under way.
class SourcePort {
  public:
    virtual ~SourcePort() = default;
    virtual void prepare() = 0;                         // SourceReady or SourceFailed
    virtual void read(ReadRequest request) = 0;         // PageRead or ReadFailed
    virtual void prove() = 0;                           // ProofAnswered or ProofFailed
    virtual void clean_up(CleanUpRequest request) = 0;  // CleanedUp or CleanUpFailed; outbox mode only
    virtual void look_up(LookUpRequest request) = 0;    // LookedUp or LookUpFailed
};

// The lease of one pipeline: which of several pawls feeds it. The same rules. Held until the port is
// destroyed or the process or its connection to MariaDB dies.
class LeasePort {
  public:
    virtual ~LeasePort() = default;
    virtual void ask() = 0;  // LeaseAnswered or LeaseFailed
    // The pipeline has finished: another pawl may have it, and nothing is asked any more. No answer.
    virtual void give_back() = 0;
};

// The index of one pipeline. The same rules; bulks may be answered in any order.
class IndexPort {
  public:
    virtual ~IndexPort() = default;
    virtual void prepare() = 0;                  // TargetReady or TargetFailed
    virtual void send(BulkRequest request) = 0;  // BulkAnswered or BulkFailed
    // CheckpointWritten or CheckpointFailed
    virtual void remember(Remembered remembered, const std::string& index_uuid) = 0;
};

// The journal of the process. On success the changes are on disk, all of them.
class JournalPort {
  public:
    virtual ~JournalPort() = default;
    virtual Result<void> commit(std::span<const journal::Change> changes) = 0;
};

// Where a person hears of a pipeline: logs, a command's report.
class Observer {
  public:
    virtual ~Observer() = default;
    virtual void notice(const std::string& pipeline, const Notice& notice) = 0;
    virtual void recovered(const std::string& pipeline, const ReportRecovery& report) = 0;
    virtual void finished(const std::string& pipeline, const Finish& finish) = 0;
};

// Chance, for jitter; from a seed in the simulation.
class Random {
  public:
    virtual ~Random() = default;
    virtual std::uint64_t below(std::uint64_t bound) = 0;  // 0 … bound-1; bound >= 1
};

}  // namespace pawl::engine
