// What the journal says of one pipeline once all that was asked for is written (but for its incidents, which
// only readers of the journal need). Every change of it is made
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
    std::optional<journal::Anchor> anchor = {};  // of the newest row that was read so far
};

class Ledger {
  public:
    // A batch of the first fill (outbox mode), which has no revisions.
    struct FillPart {
        std::string through;     // position of its last row
        std::uint64_t rows = 0;  // in it
        bool last = false;       // the table has no more
    };
    // Of an open batch: INTENT or APPLIED.
    struct Open {
        IntervalSet revisions;
        bool applied = false;
        bool cleaned = false;  // its rows are gone from the outbox, or there is none
        std::optional<FillPart> fill = {};
    };

    Ledger(std::string name, std::optional<journal::PipelineSnapshot> journal);

    // Whether the pipeline has begun: the journal knows its source and its index.
    bool known() const { return known_; }
    const journal::Pipeline& pipeline() const { return pipeline_; }
    const IntervalSet& gaps() const { return gaps_; }
    const std::map<BatchId, Open>& open_batches() const { return open_; }
    using Quarantine = std::map<std::string, journal::QuarantineEntry, std::less<>>;
    const Quarantine& quarantine() const { return quarantine_; }

    // Each appends to `changes` what must be written. Preconditions are those of journal/transition.h.

    // Begins (again) where `change` says; what was open and missing is forgotten. Its name is filled in.
    void begin(journal::BeginPipeline change, Changes& changes);

    // What the reader has seen of the history.
    struct Seen {
        IntervalSet revisions;
        IntervalSet dead;  // missing for ever
        std::optional<journal::Anchor> anchor;
        std::optional<FillPart> fill = {};
    };
    // INTENT. Revisions above high move it and what they leave out becomes gaps, but for what is dead; those
    // in a gap leave it. Gaps beyond `gaps_max` intervals are merged. An outbox has no gaps: what commits
    // late is given a new revision (pipeline_outbox.cc).
    BatchId open(const Seen& seen, const journal::BatchContent& content, std::size_t gaps_max, TimeMs now,
                 Changes& changes);

    // Dead revisions leave the gaps, and the watermark follows. Gives how many of those that left are among
    // `unproven`.
    std::uint64_t close_gaps(const IntervalSet& dead, const IntervalSet& unproven, Changes& changes);

    // APPLIED, and COMMITTED for the longest prefix of open batches that is applied; in outbox mode that is
    // cleaned up as well.
    void apply(BatchId batch, BatchResult result, TimeMs now, Changes& changes);

    // COMMITTED for what a former process left APPLIED.
    void commit_prefix(TimeMs now, Changes& changes);

    // Outbox mode: rows whose change is in the index, or that an operator has given up. Those of a batch come
    // when all before it are APPLIED too; those of entities in quarantine stay, and so does what is owed with
    // them when this journal is lost.
    IntervalSet rows_to_delete() const;
    // No row above this one has been deleted because the index had it.
    Revision deleted_at_most() const;
    // Rows that are still there, though they were read: of the quarantine, and of open batches and those that
    // have left it as far as they are not to be deleted yet.
    IntervalSet rows_in_use() const;
    // The same, and those that may be deleted by now. None of them is late.
    IntervalSet rows_known() const;
    // These rows, of a former rows_to_delete(), are gone.
    void rows_deleted(const IntervalSet& revisions, TimeMs now, Changes& changes);
    // Entities of the quarantine whose rows these are leave it: another pawl has dealt with them.
    void rows_are_gone(const IntervalSet& revisions, Changes& changes);
    // The table had no rows after those that were read for the fill.
    void end_fill(TimeMs now, Changes& changes);

    void record_checkpoint(const journal::Checkpoint& checkpoint, Changes& changes);
    void set_shape(std::uint64_t shape, std::vector<journal::Anchor> anchors, Changes& changes);
    void note_incident(std::string_view label, std::string text, TimeMs now, Changes& changes);

    // Does nothing when nothing changes. Of a pipeline that the journal does not know this is all that it
    // knows then.
    void set_condition(journal::Condition condition, std::string detail, TimeMs now, Changes& changes);

    // Asks for another try of these entities (empty: all of the quarantine).
    void request_retry(const std::vector<std::string>& entities, Changes& changes);
    // Forgets these entities (empty: all of the quarantine).
    void drop_quarantine(const std::vector<std::string>& entities, Changes& changes);
    // Entities whose rejected row is one of these are being tried: they are not asked for again. The journal
    // keeps the request until the batch is APPLIED, so that a crash in between does not lose it.
    void retries_begun(const IntervalSet& revisions);

  private:
    bool has_outbox() const { return pipeline_.source.mode == journal::SourceMode::outbox; }
    bool may_commit(const Open& batch) const;
    void commit(journal::CommitBatches change, Changes& changes);
    IntervalSet rows_in_quarantine() const;
    void leave_quarantine(Quarantine::iterator entry);
    Revision watermark() const;
    void note_gaps(const Seen& seen, Revision high, std::size_t gaps_max);
    std::optional<journal::Anchor> newer(const std::optional<journal::Anchor>& anchor) const;

    bool known_;
    bool recorded_;  // the journal has a record of it, if only of its condition
    journal::Pipeline pipeline_;
    IntervalSet gaps_;
    std::map<BatchId, Open> open_;
    Quarantine quarantine_;
    IntervalSet left_quarantine_;  // rows of the outbox that are needed no more
};

}  // namespace pawl::engine
