// What each change does to the records, as pure functions: the state machine's other half, on the side of the
// disk. Writer uses them on records read from LMDB, the simulation on records in memory. Each asserts its
// precondition, so that an illegal transition cannot be written; callers decode and validate before they call.
#pragma once

#include "journal/change.h"
#include "journal/record.h"

namespace pawl::journal {

// The record after BeginPipeline. `before` is null when the journal does not know the pipeline yet.
Pipeline begin(const Pipeline* before, const BeginPipeline& change);

// INTENT is born: moves `pipeline`'s high and last_batch. Asserts that the batch is the next one and in intent,
// and that high does not go back.
void open(Pipeline& pipeline, const OpenBatch& change);

// INTENT → APPLIED. Asserts that the batch is in intent and that the outcome accounts for every action.
void apply(Batch& batch, const ApplyBatch& change);

// APPLIED → COMMITTED. Asserts that the batch is applied.
void commit(Batch& batch, TimeMs at);

// Asserts watermark before <= after <= high.
void move_watermark(Pipeline& pipeline, Revision watermark);

void set_condition(Pipeline& pipeline, const SetCondition& change);

}  // namespace pawl::journal
