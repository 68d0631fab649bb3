// Carries changes out on the records of one LMDB transaction: reads what a change touches, lets
// journal/transition.h change it, writes it back.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "journal/change.h"
#include "journal/codec.h"
#include "journal/environment.h"

namespace pawl::journal {

// The numbers of the committed batches that the journal still holds, rising, by pipeline. Kept in memory so
// that the oldest ones are found without a look at the others.
using CommittedBatches = std::map<std::string, std::deque<BatchId>>;

class ChangeWriter {
  public:
    // `committed` is the writer's; this one keeps its own changes to it aside until `take_committed`.
    ChangeWriter(Transaction& transaction, const CommittedBatches& committed)
        : transaction_(transaction), committed_(committed) {}

    // Errors, kind storage: LMDB's; a record that is missing or does not decode.
    Result<void> write(const Change& change);

    // What is to be merged over `committed` once the transaction is committed.
    CommittedBatches take_committed() && { return std::move(changed_); }

  private:
    Result<void> write_one(const BeginPipeline& change);
    Result<void> write_one(const OpenBatch& change);
    Result<void> write_one(const ApplyBatch& change);
    Result<void> write_one(const CommitBatches& change);
    Result<void> write_one(const CloseGaps& change);
    Result<void> write_one(const SetCondition& change);
    Result<void> write_one(const RetryQuarantine& change);
    Result<void> write_one(const DropQuarantine& change);
    Result<void> write_one(const RecordCheckpoint& change);
    Result<void> write_one(const SetShape& change);
    Result<void> write_one(const NoteIncident& change);

    template <class OneChange>
    Result<void> change_pipeline(const OneChange& change, void (*transition)(Pipeline&, const OneChange&));

    Result<Pipeline> pipeline(const std::string& name);
    Result<std::optional<Pipeline>> pipeline_if_known(const std::string& name);
    Result<void> put(const Pipeline& pipeline);
    Result<Batch> batch(const std::string& pipeline, BatchId id);
    Result<void> put(const Batch& batch);
    Result<void> put_gaps(const std::string& pipeline, const IntervalSet& gaps);
    Result<void> forget_open_batches(const std::string& pipeline);
    Result<void> prune(const std::string& pipeline, std::deque<BatchId>& committed);
    std::deque<BatchId>& committed_of(const std::string& pipeline);
    // Keys of the entries that the entities name; of all when there are none.
    Result<std::vector<std::string>> quarantine_keys(const std::string& pipeline,
                                                     const std::vector<std::string>& entities);

    Transaction& transaction_;
    const CommittedBatches& committed_;
    CommittedBatches changed_;
};

}  // namespace pawl::journal
