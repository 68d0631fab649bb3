// What to do at start, as one table. Its rows are labelled (R01 …); the label appears in the log, in
// `pawl recover` and in docs/recovery.md. A test walks every combination of facts and demands exactly one
// row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pawl::engine {

// What is known of a pipeline when both servers have answered. Looked up once per open batch, and once with
// BatchFact::none where there is none.
enum class JournalFact : std::uint8_t { absent, present };
enum class SourceFact : std::uint8_t { same, other };  // against the journal: mode, database, table
enum class TargetFact : std::uint8_t {
    same,      // the index UUID is the journal's
    created,   // pawl has just created the index: nothing can be in it
    existing,  // another index than the journal's, or one that the journal does not know
};
enum class BatchFact : std::uint8_t { none, intent, applied };

struct RecoveryFacts {
    JournalFact journal = JournalFact::absent;
    SourceFact source = SourceFact::same;
    TargetFact target = TargetFact::same;
    BatchFact batch = BatchFact::none;
};

enum class Decision : std::uint8_t {
    begin,         // from 0 into an empty index
    adopt,         // from 0 over an index with documents: rows are sent as their entity's latest
    go_on,         // nothing is open: read above high
    replay,        // INTENT: read those entities' latest rows again and apply them again
    roll_forward,  // APPLIED: finish the commit
    refuse,        // the journal's revisions are another source's: a person decides
};
std::string_view name_of(Decision decision);  // "begin", "adopt", …

// An empty place of a row means "whatever it is".
struct RecoveryRow {
    std::string_view label;
    std::optional<JournalFact> journal;
    std::optional<SourceFact> source;
    std::optional<TargetFact> target;
    std::optional<BatchFact> batch;
    Decision decision = Decision::refuse;
    std::string_view explanation;  // for a person
};

std::span<const RecoveryRow> recovery_table();
bool matches(const RecoveryRow& row, const RecoveryFacts& facts);

// The one row that matches.
const RecoveryRow& decide(const RecoveryFacts& facts);

}  // namespace pawl::engine
