// What each change does to the records, as pure functions: the state machine's other half, on the side of the
// disk. Writer uses them on records read from LMDB, the simulation on records in memory. Each asserts its
// precondition, so that an illegal transition cannot be written; callers decode and validate before they
// call.
#pragma once

#include "journal/change.h"
#include "journal/record.h"

namespace pawl::journal {

// The record after BeginPipeline. `before` is null when the journal does not know the pipeline yet.
Pipeline begin(const Pipeline* before, const BeginPipeline& change);

// INTENT is born: moves `pipeline`'s high and last_batch. Asserts that the batch is the next one and in
// intent, that high does not go back and covers the batch's revisions, and that the gaps lie above the
// watermark.
void open(Pipeline& pipeline, const OpenBatch& change);

// INTENT → APPLIED. Asserts that the batch is in intent and that the outcome accounts for no more actions
// than it has: done + superseded + quarantined = indexed + removed + invalid, and no more entries than
// quarantined.
void apply(Batch& batch, const ApplyBatch& change);

// The pipeline's part of OpenBatch and ApplyBatch. Asserts that it is newer than those before.
void keep_anchor(Pipeline& pipeline, const Anchor& anchor);

// APPLIED → COMMITTED. Asserts that the batch is applied.
void commit(Batch& batch, TimeMs at);

// Makes the record of a pipeline that SetCondition finds unknown.
Pipeline unknown_pipeline(const std::string& name);

// Asserts that the checkpoint says no more than the watermark does.
void record_checkpoint(Pipeline& pipeline, const RecordCheckpoint& change);

// Asserts that there are no more anchors than may be kept.
void set_shape(Pipeline& pipeline, const SetShape& change);

// Its words are cut to the limits, and the oldest one goes when there are too many.
void note_incident(Pipeline& pipeline, const NoteIncident& change);

// Asserts watermark before <= after <= high.
void move_watermark(Pipeline& pipeline, Revision watermark);
void move_fill(Pipeline& pipeline, const std::optional<Fill>& fill);

// Asserts that what is left of the gaps lies above the new watermark and at or below high.
void close_gaps(Pipeline& pipeline, const CloseGaps& change);

// Details longer than limits::reason_bytes_max are cut.
void set_condition(Pipeline& pipeline, const SetCondition& change);

// The entry with entity, error and reason cut to the limits: what a reader finds. Which entity it is, is told
// by a digest of the whole id.
QuarantineEntry as_kept(QuarantineEntry entry);

}  // namespace pawl::journal
