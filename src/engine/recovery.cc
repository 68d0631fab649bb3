#include "engine/recovery.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace pawl::engine {
namespace {

constexpr auto absent = JournalFact::absent;
constexpr auto present = JournalFact::present;
constexpr auto any = std::nullopt;
using enum Decision;

// clang-format off
constexpr std::array<RecoveryRow, 9> table{{
    // label  journal  source             target                batch               decision
    {"R01", absent,  any,               TargetFact::created,  any,                begin,
     "the journal does not know this pipeline and the index is new: reading from the first revision"},
    {"R02", absent,  any,               TargetFact::existing, any,                adopt,
     "the journal does not know this pipeline, the index was there before: going over it with latest rows only"},
    {"R03", absent,  any,               TargetFact::same,     any,                adopt,
     "the journal does not know this pipeline: going over the index with latest rows only"},
    {"R04", present, SourceFact::other, any,                  any,                refuse,
     "the journal's revisions belong to another mode, database or table and cannot be compared"},
    {"R05", present, SourceFact::same,  TargetFact::created,  any,                begin,
     "the index is not the journal's and is new: reading from the first revision"},
    {"R06", present, SourceFact::same,  TargetFact::existing, any,                adopt,
     "the index is not the journal's: going over it from the first revision with latest rows only"},
    {"R07", present, SourceFact::same,  TargetFact::same,     BatchFact::none,    go_on,
     "nothing is open: reading on"},
    {"R08", present, SourceFact::same,  TargetFact::same,     BatchFact::intent,  replay,
     "INTENT: none, some or all of it is in the index; its entities' latest rows are applied again"},
    {"R09", present, SourceFact::same,  TargetFact::same,     BatchFact::applied, roll_forward,
     "APPLIED: the index has it; the commit is finished"},
}};
// clang-format on

template <class Fact>
bool fits(const std::optional<Fact>& wanted, Fact fact) {
    return !wanted || *wanted == fact;
}

}  // namespace

std::string_view name_of(Decision decision) {
    switch (decision) {
        case begin:
            return "begin";
        case adopt:
            return "adopt";
        case go_on:
            return "go_on";
        case replay:
            return "replay";
        case roll_forward:
            return "roll_forward";
        case refuse:
            return "refuse";
    }
    PAWL_ASSERT(!"a decision outside the enumeration");
    return {};
}

std::span<const RecoveryRow> recovery_table() {
    return table;
}

bool matches(const RecoveryRow& row, const RecoveryFacts& facts) {
    return fits(row.journal, facts.journal) && fits(row.source, facts.source) &&
           fits(row.target, facts.target) && fits(row.batch, facts.batch);
}

const RecoveryRow& decide(const RecoveryFacts& facts) {
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const RecoveryRow& candidate) { return matches(candidate, facts); });
    PAWL_ASSERT(row != table.end());
    return *row;
}

}  // namespace pawl::engine
