// Every way in which the journal changes. A closed list: what is not here cannot be written.
// A change is data; journal/transition.h says what each one does and asserts that it may be done.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "journal/record.h"

namespace pawl::journal {

// Begins or begins again: the pipeline's record is made or reset for this source and target. Its open batches
// and gaps are forgotten (their work is done again from `high`), its quarantine is kept.
struct BeginPipeline {
    std::string pipeline;
    SourceIdentity source;
    TargetIdentity target;
    Revision high = 0;  // read on above this one; the watermark is the same
    TimeMs at = 0;
};

// INTENT: before the first byte of the bulk request leaves.
struct OpenBatch {
    Batch batch;        // state intent; its id is the pipeline's last_batch + 1
    Revision high = 0;  // of the pipeline from now on, >= before
    IntervalSet gaps;   // of the pipeline from now on
};

// INTENT → APPLIED: every action is acknowledged. Entities enter and leave quarantine in the same
// transaction.
struct ApplyBatch {
    std::string pipeline;
    BatchId batch = 0;
    BatchOutcome outcome;
    std::vector<QuarantineEntry> quarantined;
    std::vector<std::string> released;  // entities whose document the index has now taken
    TimeMs at = 0;
};

// APPLIED → COMMITTED, with the watermark's move.
struct CommitBatches {
    std::string pipeline;
    std::vector<BatchId> batches;  // rising; may be empty when only the watermark moves
    Revision watermark = 0;        // >= before, <= high
    TimeMs at = 0;
};

// Dead revisions leave the gaps; the watermark may move.
struct CloseGaps {
    std::string pipeline;
    IntervalSet gaps;  // what is left of them
    Revision watermark = 0;
    std::uint64_t unproven =
        0;  // of those that leave: missing for too long, with no proof that they are dead
};

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
                            RetryQuarantine, DropQuarantine>;

// "begin_pipeline", "open_batch", … : names crash points and log lines.
std::string_view name_of(const Change& change);
// The same names, of all changes, in the variant's order.
std::vector<std::string_view> change_names();

}  // namespace pawl::journal
