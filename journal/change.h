// Every way in which the journal changes. A closed list: what is not here cannot be written.
// A change is data; journal/transition.h says what each one does and asserts that it may be done.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "journal/record.h"

namespace pawl::journal {

// Begins or begins again: the pipeline's record is made or reset for this source and target. Its open batches
// and gaps are forgotten (their work is done again from `high`), its quarantine and its incidents are kept.
struct BeginPipeline {
    std::string pipeline = {};
    SourceIdentity source = {};
    TargetIdentity target = {};
    Revision high = 0;      // read on above this one; the watermark is the same, or just below the first gap
    IntervalSet gaps = {};  // at or below high, and owed all the same
    std::optional<Checkpoint> checkpoint = {};  // that the index already holds
    std::optional<Anchor> anchor = {};
    std::uint64_t shape = 0;  // of the anchor
    std::optional<Fill> fill = {};
    TimeMs at = 0;
};

// INTENT: before the first byte of the bulk request leaves.
struct OpenBatch {
    Batch batch;                        // state intent; its id is the pipeline's last_batch + 1
    Revision high = 0;                  // of the pipeline from now on, >= before
    IntervalSet gaps;                   // of the pipeline from now on
    std::optional<Anchor> anchor = {};  // of the newest row that was read, when it is newer than those before
};

// INTENT → APPLIED: every action is acknowledged. Entities enter and leave quarantine in the same
// transaction.
struct ApplyBatch {
    std::string pipeline;
    BatchId batch = 0;
    BatchOutcome outcome;
    std::vector<QuarantineEntry> quarantined;
    std::vector<std::string> released;  // entities whose document the index has now taken
    std::optional<Anchor> anchor =
        {};  // as in OpenBatch: a replay may read rows that are newer than all before
    TimeMs at = 0;
};

// APPLIED → COMMITTED, with the watermark's move.
struct CommitBatches {
    std::string pipeline;
    std::vector<BatchId> batches;  // rising; may be empty when only the watermark moves
    Revision watermark = 0;        // >= before, <= high
    TimeMs at = 0;
    std::optional<Fill> fill = {};  // of the pipeline from now on; only where it has one
};

// Dead revisions leave the gaps; the watermark may move.
struct CloseGaps {
    std::string pipeline;
    IntervalSet gaps;  // what is left of them
    Revision watermark = 0;
    std::uint64_t unproven =
        0;  // of those that leave: missing for too long, with no proof that they are dead
};

// The index has been told, durably.
struct RecordCheckpoint {
    std::string pipeline;
    Checkpoint checkpoint;
};

// The document shape is another one: digests of rows are made anew.
struct SetShape {
    std::string pipeline;
    std::uint64_t shape = 0;
    std::vector<Anchor> anchors;  // newest last
};

struct NoteIncident {
    std::string pipeline;
    std::string label;
    std::string text;
    TimeMs at = 0;
};

// A pipeline that the journal does not know gets a record that says no more than this: its source and target
// are empty, its high is 0.
struct SetCondition {
    std::string pipeline;
    Condition condition = Condition::running;
    std::string detail;
    TimeMs at = 0;
};

// An operator's words about entities in quarantine. An unknown entity is no error.
struct RetryQuarantine {
    std::string pipeline;
    std::vector<std::string> entities;  // empty: all
};
struct DropQuarantine {
    std::string pipeline;
    std::vector<std::string> entities;  // empty: all
};

using Change = std::variant<BeginPipeline, OpenBatch, ApplyBatch, CommitBatches, CloseGaps, SetCondition,
                            RetryQuarantine, DropQuarantine, RecordCheckpoint, SetShape, NoteIncident>;

// "begin_pipeline", "open_batch", … : names crash points and log lines.
std::string_view name_of(const Change& change);
// The same names, of all changes, in the variant's order.
std::vector<std::string_view> change_names();

}  // namespace pawl::journal
