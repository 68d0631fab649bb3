#include "engine/recovery.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace pawl::engine {
namespace {

constexpr auto absent = JournalFact::absent;
constexpr auto present = JournalFact::present;
constexpr auto any = std::nullopt;
constexpr auto revision = journal::SourceMode::revision;
constexpr auto outbox = journal::SourceMode::outbox;
constexpr auto intact = HistoryFact::intact;
constexpr auto went_back = HistoryFact::went_back;
constexpr auto filled = FillFact::done;
using enum Decision;

// clang-format off
constexpr std::array<RecoveryRow, 18> table{{
    // label, mode, journal, source, history, target, memory, batch, fill, decision
    {"R01", any, absent, SourceFact::same, any, TargetFact::created, any, any, any, begin,
     "the journal does not know this pipeline and the index is new: reading from the first revision"},
    {"R02", revision, absent, SourceFact::same, intact, TargetFact::existing, MemoryFact::none, any, any, adopt,
     "the journal does not know this pipeline, the index was there before and remembers nothing: going over it "
     "with latest rows only"},
    {"R03", any, absent, SourceFact::same, intact, TargetFact::existing, MemoryFact::known, any, filled, resume,
     "the journal does not know this pipeline: rolling forward from what the index remembers"},
    {"R04", any, any, SourceFact::other, any, any, any, any, any, refuse,
     "the revisions in the index belong to another mode, database, table or entity and cannot be compared"},
    {"R05", any, present, SourceFact::same, any, TargetFact::created, any, any, any, begin,
     "the index is not the journal's and is new: reading from the first revision"},
    {"R06", revision, present, SourceFact::same, intact, TargetFact::existing, MemoryFact::none, any, any, adopt,
     "the index is not the journal's and remembers nothing: going over it from the first revision with latest "
     "rows only"},
    {"R07", any, present, SourceFact::same, intact, TargetFact::same,
     MemoryFact::known, BatchFact::none, filled, go_on,
     "nothing is open: reading on"},
    {"R08", any, present, SourceFact::same, intact, TargetFact::same,
     MemoryFact::known, BatchFact::intent, filled, replay,
     "INTENT: none, some or all of it is in the index; its entities' latest rows are applied again"},
    {"R09", any, present, SourceFact::same, intact, TargetFact::same,
     MemoryFact::known, BatchFact::applied, filled, roll_forward,
     "APPLIED: the index has it; the commit is finished"},
    {"R10", any, present, SourceFact::same, intact, TargetFact::existing, MemoryFact::known, any, filled, resume,
     "the index is not the journal's: rolling forward from what it remembers"},
    {"R11", revision, present, SourceFact::same, intact, TargetFact::same, MemoryFact::older, any, any, resume,
     "the index remembers less than it was told, somebody has put an older _meta there: rolling forward from what "
     "it remembers"},
    {"R12", revision, present, SourceFact::same, intact, TargetFact::same, MemoryFact::erased, any, any, adopt,
     "the index has forgotten what it was told: going over it from the first revision with latest rows only"},
    {"R13", any, present, SourceFact::same, intact, TargetFact::same, MemoryFact::newer, any, filled, resume,
     "another pawl has fed the index further than this journal knows: rolling forward from what it remembers"},
    {"R14", any, any, SourceFact::same, went_back, TargetFact::existing, any, any, any, regressed,
     "the history is not the one that the index was fed from: it went back, or it is another one"},
    {"R15", any, present, SourceFact::same, went_back, TargetFact::same, any, any, any, regressed,
     "the history went back: rows that the index was fed from are gone or differ"},
    {"R16", outbox, any, SourceFact::same, intact, any, any, any, FillFact::unfinished, fill,
     "the first fill has not come to its end: going on with it"},
    {"R17", outbox, any, SourceFact::same, intact, TargetFact::existing, MemoryFact::none, any, any, refill,
     "the index was there before and remembers nothing: what it lacks is not in the outbox"},
    {"R18", outbox, present, SourceFact::same, intact, TargetFact::existing, MemoryFact::older, any, filled, refill,
     "the index is not the journal's and remembers less: what it lacks was deleted from the outbox when the other "
     "one had it"},
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
        case Decision::fill:
            return "fill";
        case adopt:
            return "adopt";
        case resume:
            return "resume";
        case go_on:
            return "go_on";
        case replay:
            return "replay";
        case roll_forward:
            return "roll_forward";
        case refill:
            return "refill";
        case refuse:
            return "refuse";
        case regressed:
            return "regressed";
    }
    PAWL_ASSERT(!"a decision outside the enumeration");
    return {};
}

std::span<const RecoveryRow> recovery_table() {
    return table;
}

bool is_possible(const RecoveryFacts& facts) {
    const bool has_fill = facts.mode == outbox && facts.target != TargetFact::created &&
                          facts.memory != MemoryFact::none &&
                          !(facts.target == TargetFact::existing && facts.memory == MemoryFact::older);
    if (facts.fill == FillFact::unfinished && !has_fill) return false;
    if (facts.journal == JournalFact::absent &&
        (facts.target == TargetFact::same || facts.batch != BatchFact::none))
        return false;
    switch (facts.target) {
        case TargetFact::created:  // there is nothing in it that could be compared
            return facts.memory == MemoryFact::none && facts.history == HistoryFact::intact &&
                   (facts.journal == JournalFact::present || facts.source == SourceFact::same);
        case TargetFact::existing:
            if (facts.memory == MemoryFact::none)
                return facts.history == HistoryFact::intact &&
                       (facts.journal == JournalFact::present || facts.source == SourceFact::same);
            return facts.memory == MemoryFact::known ||
                   (facts.memory == MemoryFact::older && facts.mode == outbox &&
                    facts.journal == JournalFact::present);
        case TargetFact::same:
            if (facts.mode == outbox && facts.memory != MemoryFact::newer)
                return facts.memory == MemoryFact::known;
            return facts.memory != MemoryFact::none;
    }
    PAWL_ASSERT(!"a target outside the enumeration");
    return false;
}

bool matches(const RecoveryRow& row, const RecoveryFacts& facts) {
    return fits(row.mode, facts.mode) && fits(row.fill, facts.fill) && fits(row.journal, facts.journal) &&
           fits(row.source, facts.source) && fits(row.history, facts.history) &&
           fits(row.target, facts.target) && fits(row.memory, facts.memory) && fits(row.batch, facts.batch);
}

const RecoveryRow& decide(const RecoveryFacts& facts) {
    PAWL_ASSERT(is_possible(facts));
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const RecoveryRow& candidate) { return matches(candidate, facts); });
    PAWL_ASSERT(row != table.end());
    return *row;
}

}  // namespace pawl::engine
