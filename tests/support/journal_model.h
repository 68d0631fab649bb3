// The journal in memory: journal/transition.h's functions on plain records. What a Writer must hold after the
// same changes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "journal/change.h"
#include "journal/record.h"

namespace pawl::journal::test {

class JournalModel {
  public:
    void put(const std::vector<Change>& changes);
    void put(const Change& change);

    const std::map<std::string, PipelineSnapshot>& pipelines() const { return pipelines_; }
    // By name, as readers give them.
    std::vector<PipelineSnapshot> all() const;

  private:
    void put_one(const BeginPipeline& change);
    void put_one(const OpenBatch& change);
    void put_one(const ApplyBatch& change);
    void put_one(const CommitBatches& change);
    void put_one(const CloseGaps& change);
    void put_one(const SetCondition& change);
    void put_one(const RetryQuarantine& change);
    void put_one(const DropQuarantine& change);
    void put_one(const RecordCheckpoint& change);
    void put_one(const SetShape& change);
    void put_one(const NoteIncident& change);

    std::map<std::string, PipelineSnapshot> pipelines_;
};

// A number that tells states apart: of everything in them, in an encoding that is not the journal's.
std::uint64_t digest_of(const std::vector<PipelineSnapshot>& state);

}  // namespace pawl::journal::test
