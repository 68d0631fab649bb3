// What the journal says of one pipeline once all that was asked for is written. Every change of it is made
// here, together with the journal::Change that makes the journal follow; so the watermark has one place.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/page.h"
#include "journal/change.h"
#include "journal/record.h"

namespace pawl::engine {

using journal::BatchId;
using Changes = std::vector<journal::Change>;

// What happened to the actions of a batch by the time all of them are acknowledged.
struct BatchResult {
    journal::BatchOutcome outcome;
    std::vector<journal::QuarantineEntry> quarantined;
    std::vector<std::string> released;  // entities that the index took and that were in quarantine before
};

class Ledger {
  public:
    // Of an open batch: INTENT or APPLIED.
    struct Open {
        IntervalSet revisions;
        bool applied = false;
    };

    Ledger(std::string name, std::optional<journal::PipelineSnapshot> journal);

    // Whether the journal knows the pipeline.
    bool known() const { return known_; }
    const journal::Pipeline& pipeline() const { return pipeline_; }
    const IntervalSet& gaps() const { return gaps_; }
    const std::map<BatchId, Open>& open_batches() const { return open_; }
    const std::map<std::string, journal::QuarantineEntry, std::less<>>& quarantine() const {
        return quarantine_;
    }

    // Each appends to `changes` what must be written. Preconditions are those of journal/transition.h.

    // Begins (again) at revision 0 for this source and target; open batches and gaps are forgotten.
    void begin(const journal::SourceIdentity& source, const journal::TargetIdentity& target, TimeMs now,
               Changes& changes);

    // INTENT. `revisions` were seen by the reader: those above high move it and what they leave out becomes
    // gaps, but for what is `dead`; those in a gap leave it. Gaps beyond `gaps_max` intervals are merged.
    BatchId open(const IntervalSet& revisions, const IntervalSet& dead, const journal::BatchContent& content,
                 std::size_t gaps_max, TimeMs now, Changes& changes);

    // Dead revisions leave the gaps, and the watermark follows. Gives how many of those that left are among
    // `unproven`.
    std::uint64_t close_gaps(const IntervalSet& dead, const IntervalSet& unproven, Changes& changes);

    // APPLIED, and COMMITTED for the longest prefix of open batches that is applied.
    void apply(BatchId batch, BatchResult result, TimeMs now, Changes& changes);

    // COMMITTED for what a former process left APPLIED.
    void commit_prefix(TimeMs now, Changes& changes);

    // Does nothing while the journal does not know the pipeline, or when nothing changes.
    void set_condition(journal::Condition condition, std::string detail, TimeMs now, Changes& changes);

    // Asks for another try of these entities (empty: all of the quarantine).
    void request_retry(const std::vector<std::string>& entities, Changes& changes);
    // Forgets these entities (empty: all of the quarantine).
    void drop_quarantine(const std::vector<std::string>& entities, Changes& changes);
    // Entities whose rejected row is one of these are being tried: they are not asked for again. The journal
    // keeps the request until the batch is APPLIED, so that a crash in between does not lose it.
    void retries_begun(const IntervalSet& revisions);

  private:
    Revision watermark() const;

    bool known_;
    journal::Pipeline pipeline_;
    IntervalSet gaps_;
    std::map<BatchId, Open> open_;
    std::map<std::string, journal::QuarantineEntry, std::less<>> quarantine_;
};

}  // namespace pawl::engine
