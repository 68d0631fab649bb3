// Everything that can happen to a pipeline. A closed list; engine/pipeline.h turns events into effects.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "engine/request.h"

namespace pawl::engine {

// The first event of a pipeline's life.
struct Begin {};

// The source is reachable and fit for this pipeline.
struct SourceReady {
    SourceFacts facts;
};
struct SourceFailed {
    Error error;
};

// The index behind the alias is known.
struct TargetReady {
    TargetFacts facts;
};
struct TargetFailed {
    Error error;
};

struct PageRead {
    RequestId id = 0;
    std::shared_ptr<const Page> page;
};
struct ReadFailed {
    RequestId id = 0;
    Error error;
};

struct ProofAnswered {
    Proof proof;
};
struct ProofFailed {
    Error error;
};

struct CleanedUp {
    RequestId id = 0;
    std::uint64_t late = 0;  // rows that had committed late and were renewed
    bool more_late = false;  // there are more of them than rows_max
    Revision end = 0;  // where it was wanted: the highest row by then, its own included; 0: there is none
};
// All of it or none has taken effect.
struct CleanUpFailed {
    RequestId id = 0;
    Error error;
};

struct LookedUp {
    RequestId id = 0;
    LookUpAnswer answer;
};
struct LookUpFailed {
    RequestId id = 0;
    Error error;
};

struct LeaseAnswered {
    Lease lease;
};
// Whether it is still ours is not known: the connection that held it is gone, or cannot be asked.
struct LeaseFailed {
    Error error;
};

// The index remembers what WriteCheckpoint said; it was read back.
struct CheckpointWritten {};
// It does not, or nobody knows.
struct CheckpointFailed {
    Error error;
};

// The changes of the WriteJournal with this ticket are on disk.
struct JournalWritten {
    std::uint64_t ticket = 0;
};

// One result for each action of the request, in order.
struct BulkAnswered {
    RequestId id = 0;
    std::vector<ItemResult> items;
};
// No usable answer: some, all or none of the request may have taken effect.
struct BulkFailed {
    RequestId id = 0;
    Error error;
};

enum class Timer : std::uint8_t {
    poll = 1,
    read_retry = 2,
    send_retry = 3,
    prepare_retry = 4,
    lease = 5,
    checkpoint = 6,
    clean_up_retry = 7,
};
struct TimerFired {
    Timer timer = Timer::poll;
};

// An operator asked for another try of these entities; empty: all of the pipeline's quarantine.
struct RetryAsked {
    std::vector<std::string> entities;
};

// An operator gives these entities up; empty: all of the pipeline's quarantine. Their rows stay out of the
// index.
struct DropAsked {
    std::vector<std::string> entities;
};

// Send these entities' latest rows again: each revision is one of its entity's rows (`pawl verify --repair`).
struct RepairAsked {
    IntervalSet revisions;
};

// Come to rest: nothing new is begun, what is in flight may finish.
struct StopAsked {};

using Event =
    std::variant<Begin, SourceReady, SourceFailed, TargetReady, TargetFailed, PageRead, ReadFailed,
                 ProofAnswered, ProofFailed, CleanedUp, CleanUpFailed, LookedUp, LookUpFailed, LeaseAnswered,
                 LeaseFailed, CheckpointWritten, CheckpointFailed, JournalWritten, BulkAnswered, BulkFailed,
                 TimerFired, RetryAsked, DropAsked, RepairAsked, StopAsked>;

}  // namespace pawl::engine
