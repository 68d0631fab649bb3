// What the journal remembers, as plain types. No LMDB and no bytes here: journal/codec.h knows the bytes.
// The engine uses these types too, so that there is one vocabulary and not two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "journal/interval_set.h"

namespace pawl::journal {

// Counts up within a pipeline, starts at 1, is never used twice. People read it as "lex/17".
using BatchId = std::uint64_t;

enum class BatchState : std::uint8_t {
    intent = 1,     // it may be in the index: none, some or all of it
    applied = 2,    // the index has taken it; the watermark has not moved over it
    committed = 3,  // nothing is owed
};
std::string_view name_of(BatchState state);  // "INTENT", "APPLIED", "COMMITTED"

// What travels in a batch. rows >= indexed + removed + invalid, since rows of one entity are coalesced.
struct BatchContent {
    std::uint32_t rows = 0;
    std::uint32_t indexed = 0;  // actions that index a document
    std::uint32_t removed = 0;  // actions that delete one
    std::uint32_t invalid = 0;  // rows that make no document and go to quarantine unsent
    // XXH3 over (entity, revision, action) of every action in order (journal/digest.h): which content this
    // was.
    std::uint64_t digest = 0;
    bool operator==(const BatchContent&) const = default;
};

// What became of a batch's actions; all zero until it is APPLIED.
struct BatchOutcome {
    std::uint32_t done = 0;
    std::uint32_t superseded = 0;   // the index had a newer version (409)
    std::uint32_t quarantined = 0;  // rejected, or no document to begin with
    bool operator==(const BatchOutcome&) const = default;
};

struct Batch {
    BatchId id = 0;
    std::string pipeline;
    BatchState state = BatchState::intent;
    IntervalSet revisions;  // of the rows that were read into it; empty: rows of the fill
    BatchContent content;
    BatchOutcome outcome;
    std::string index_uuid;  // the index it is meant for
    TimeMs intent_at = 0;
    TimeMs applied_at = 0;    // 0: not yet
    TimeMs committed_at = 0;  // 0: not yet
    bool operator==(const Batch&) const = default;
};

enum class SourceMode : std::uint8_t { revision = 1, outbox = 2 };
std::string_view name_of(SourceMode mode);  // "revision", "outbox"

// Revisions of two different sources cannot be compared, so a pipeline remembers whose they are.
struct SourceIdentity {
    SourceMode mode = SourceMode::revision;
    std::string database;
    std::string table;
    bool operator==(const SourceIdentity&) const = default;
};

// The index behind a pipeline's alias. The UUID tells an index from a later one of the same name, and from
// what a snapshot has made of it (src/index/target.cc).
struct TargetIdentity {
    std::string alias;
    std::string index;
    std::string uuid;
    bool operator==(const TargetIdentity&) const = default;
};

enum class Condition : std::uint8_t {
    running = 1,
    retrying = 2,          // a server is down or busy
    forbidden = 3,         // a privilege or password is missing
    quarantine_full = 4,   // stopped: too many entities are rejected
    source_changed = 5,    // stopped: mode, database or table is not the journal's
    source_regressed = 6,  // stopped: the history went back (restored from a backup)
    refused = 7,           // stopped: config, table or index cannot be used as they are
    standby = 8,           // another pawl holds the pipeline's lease
    refill_needed = 9,     // stopped: the index lacks what is not in the outbox any more
};
inline constexpr Condition last_condition = Condition::refill_needed;
std::string_view name_of(Condition condition);  // "RUNNING", "RETRYING", …, "SOURCE_REGRESSED", …

// The watermark that the index itself was last told.
struct Checkpoint {
    Revision revision = 0;
    TimeMs written_at = 0;
    bool operator==(const Checkpoint&) const = default;
};

// A committed row with a digest of its content: what proves that the history is still the same history. The
// digest's upper half is of the revision and the entity alone, and so can be compared whatever else of a row
// is read.
struct Anchor {
    Revision revision = 0;
    std::uint64_t digest = 0;
    bool operator==(const Anchor&) const = default;
};

// Something that befell a pipeline and that an operator should find later: another index behind the alias, an
// index restored from a snapshot, a history that went back.
struct Incident {
    std::uint64_t number = 0;  // counts up within a pipeline, starts at 1
    TimeMs at = 0;
    std::string label;  // of the recovery table's row that answers it ("R12"), or a word
    std::string text;   // for a person
    bool operator==(const Incident&) const = default;
};

// Outbox mode: how far the first fill has come. It goes over the table itself in the order of its key; its
// rows have revision 0, which every row of the outbox beats.
struct Fill {
    std::string after;       // position of the last row of a COMMITTED batch, for the source; "": none yet
    std::uint64_t rows = 0;  // of COMMITTED batches
    bool operator==(const Fill&) const = default;
};

struct Pipeline {
    std::string name;
    SourceIdentity source;
    TargetIdentity target;
    BatchId last_batch = 0;  // the highest id given out
    Revision high = 0;       // the highest revision that has been read into a batch
    Revision watermark = 0;  // <= high; every revision at or below it is committed or proven dead
    std::optional<Checkpoint> checkpoint;
    // Newest last, at most anchors_max. The newest is of the newest row that was read, which may lie above
    // high (a latest row that went ahead of its turn); of those before it one is kept for each checkpoint.
    std::vector<Anchor> anchors;
    std::uint64_t shape =
        0;  // digest of the document shape that the anchors' digests were made with; 0: none
    // Revisions that left the gaps because they were missing for too long, not because they were proven dead:
    // a row that came after all is not in the index. Counts up; saturates.
    std::uint64_t gaps_unproven = 0;
    std::optional<Fill> fill;  // empty: it has come to its end, or there is none
    Condition condition = Condition::running;
    std::string condition_detail;  // for a person; empty while running
    TimeMs condition_since = 0;
    std::vector<Incident> incidents;  // oldest first, at most incidents_kept_max
    bool operator==(const Pipeline&) const = default;
};

// An entity whose latest document the index rejects. No document body is kept.
struct QuarantineEntry {
    std::string pipeline;
    std::string entity;
    Revision revision = 0;  // of the rejected row
    std::string
        error;  // the index's error type, or pawl's own: "mapper_parsing_exception", "invalid_body", …
    std::string reason;  // for a person
    TimeMs since = 0;
    std::uint32_t attempts = 1;
    bool retry_requested = false;  // an operator asked for another try
    bool operator==(const QuarantineEntry&) const = default;
};

// Everything the journal says of one pipeline at one moment.
struct PipelineSnapshot {
    Pipeline pipeline;
    IntervalSet gaps;            // at or below high, seen by nobody, proven dead by nobody
    std::vector<Batch> batches;  // by id; the open ones and the last committed ones
    std::vector<QuarantineEntry> quarantine;
};

}  // namespace pawl::journal
