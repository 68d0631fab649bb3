// What to do at start, as one table. Its rows are labelled (R01 …); the label appears in the log, in
// `pawl recover` and in docs/recovery.md. A test walks every combination of facts and demands exactly one
// row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "journal/record.h"

namespace pawl::engine {

// What is known of a pipeline when both servers have answered. Looked up once per open batch, and once with
// BatchFact::none where there is none.
enum class JournalFact : std::uint8_t { absent, present };
// Mode, database and table, against what the index remembers, or else the journal; outbox mode: also whose
// keys the outbox holds, as far as the index remembers that.
enum class SourceFact : std::uint8_t { same, other };
// Whether the history still has what the index was fed from (engine/history_check.h).
enum class HistoryFact : std::uint8_t { intact, went_back };
enum class TargetFact : std::uint8_t {
    same,      // the index UUID is the journal's
    created,   // pawl has just created the index: nothing can be in it; outbox mode: or it is empty
    existing,  // another index than the journal's, or one that the journal does not know
};
// What the index remembers; of the journal's own index against what the journal says that it was told.
enum class MemoryFact : std::uint8_t {
    none,    // another index, and it remembers nothing
    known,   // another index, and it remembers a revision; or the journal's own, and they agree
    older,   // the journal's own, but it remembers less than it was told: somebody has overwritten it; outbox
             // mode: another index, which may lack what was deleted from the outbox
    erased,  // the journal's own, but it remembers nothing though it was told something; not in outbox mode
    newer,   // the journal's own, but it remembers more than the journal has read: another pawl was here;
             // outbox mode: anything else than it was told
};
enum class BatchFact : std::uint8_t { none, intent, applied };
// Outbox mode: whether all that the table held has been sent to the index once.
enum class FillFact : std::uint8_t { done, unfinished };

struct RecoveryFacts {
    journal::SourceMode mode = journal::SourceMode::revision;
    JournalFact journal = JournalFact::absent;
    SourceFact source = SourceFact::same;
    HistoryFact history = HistoryFact::intact;
    TargetFact target = TargetFact::created;
    MemoryFact memory = MemoryFact::none;
    BatchFact batch = BatchFact::none;
    FillFact fill = FillFact::done;
};

// Whether these can be true together: a journal that is not there names no index and holds no batch, a new
// index remembers nothing, and so on.
bool is_possible(const RecoveryFacts& facts);

enum class Decision : std::uint8_t {
    begin,         // from 0 into an empty index; outbox mode: with the first fill
    fill,          // outbox mode: the first fill goes on, or begins again
    adopt,         // from 0 over an index with documents: rows are sent as their entity's latest
    resume,        // from what the index remembers, with latest rows
    go_on,         // nothing is open: read above high
    replay,        // INTENT: read those entities' latest rows again and apply them again
    roll_forward,  // APPLIED: finish the commit
    refill,        // outbox mode: what the index lacks is in the outbox no more; a person decides
    refuse,        // the revisions are another source's: a person decides
    regressed,     // the history went back: a person decides
};
std::string_view name_of(Decision decision);  // "begin", "adopt", …

// An empty place of a row means "whatever it is".
struct RecoveryRow {
    std::string_view label;
    std::optional<journal::SourceMode> mode;
    std::optional<JournalFact> journal;
    std::optional<SourceFact> source;
    std::optional<HistoryFact> history;
    std::optional<TargetFact> target;
    std::optional<MemoryFact> memory;
    std::optional<BatchFact> batch;
    std::optional<FillFact> fill;
    Decision decision = Decision::refuse;
    std::string_view explanation;  // for a person
};

std::span<const RecoveryRow> recovery_table();
bool matches(const RecoveryRow& row, const RecoveryFacts& facts);

// The one row that matches. The facts must be possible.
const RecoveryRow& decide(const RecoveryFacts& facts);

}  // namespace pawl::engine
