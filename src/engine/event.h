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

enum class Timer : std::uint8_t { poll = 1, read_retry = 2, send_retry = 3, prepare_retry = 4 };
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

// Come to rest: nothing new is begun, what is in flight may finish.
struct StopAsked {};

using Event = std::variant<Begin, SourceReady, SourceFailed, TargetReady, TargetFailed, PageRead, ReadFailed,
                           ProofAnswered, ProofFailed, JournalWritten, BulkAnswered, BulkFailed, TimerFired,
                           RetryAsked, DropAsked, StopAsked>;

}  // namespace pawl::engine
