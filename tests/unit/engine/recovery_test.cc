#include "engine/recovery.h"

#include <map>
#include <set>

#include <catch2/catch.hpp>

using namespace pawl::engine;

namespace {

// What can never be, and why: the journal that is not there names no source and holds no batch, and an index
// cannot have the UUID that it does not name.
bool is_possible(const RecoveryFacts& facts) {
    if (facts.journal == JournalFact::present) return true;
    return facts.source == SourceFact::same && facts.target != TargetFact::same &&
           facts.batch == BatchFact::none;
}

std::vector<RecoveryFacts> every_combination() {
    std::vector<RecoveryFacts> all;
    for (const auto journal : {JournalFact::absent, JournalFact::present})
        for (const auto source : {SourceFact::same, SourceFact::other})
            for (const auto target : {TargetFact::same, TargetFact::created, TargetFact::existing})
                for (const auto batch : {BatchFact::none, BatchFact::intent, BatchFact::applied})
                    all.push_back({journal, source, target, batch});
    return all;
}

}  // namespace

TEST_CASE("exactly one row matches every combination of facts, possible or not") {
    for (const RecoveryFacts& facts : every_combination()) {
        int matching = 0;
        for (const RecoveryRow& row : recovery_table())
            matching += matches(row, facts) ? 1 : 0;
        CHECK(matching == 1);
        CHECK(matches(decide(facts), facts));
    }
}

TEST_CASE("every row is reached by something that can happen, but for R03") {
    std::set<std::string_view> reached;
    for (const RecoveryFacts& facts : every_combination())
        if (is_possible(facts)) reached.insert(decide(facts).label);
    for (const RecoveryRow& row : recovery_table()) {
        INFO(row.label);
        // R03 only makes the table whole: without a journal no index is the journal's.
        CHECK(reached.contains(row.label) == (row.label != "R03"));
    }
}

TEST_CASE("labels are R01, R02, … in order, and every row explains itself") {
    int number = 0;
    for (const RecoveryRow& row : recovery_table()) {
        ++number;
        CHECK(row.label == "R0" + std::to_string(number));
        CHECK_FALSE(row.explanation.empty());
        CHECK_FALSE(name_of(row.decision).empty());
    }
}

TEST_CASE("an open batch is replayed from INTENT and rolled forward from APPLIED") {
    RecoveryFacts facts{JournalFact::present, SourceFact::same, TargetFact::same, BatchFact::intent};
    CHECK(decide(facts).decision == Decision::replay);
    facts.batch = BatchFact::applied;
    CHECK(decide(facts).decision == Decision::roll_forward);
    facts.batch = BatchFact::none;
    CHECK(decide(facts).decision == Decision::go_on);
}

TEST_CASE("another source is refused whatever the index and the batches are") {
    for (RecoveryFacts facts : every_combination()) {
        if (facts.journal == JournalFact::absent || facts.source == SourceFact::same) continue;
        CHECK(decide(facts).decision == Decision::refuse);
    }
}

TEST_CASE("batches that were meant for another index are never replayed into this one") {
    for (const RecoveryFacts& facts : every_combination()) {
        if (facts.target == TargetFact::same) continue;
        const Decision decision = decide(facts).decision;
        CHECK(decision != Decision::replay);
        CHECK(decision != Decision::roll_forward);
        CHECK(decision != Decision::go_on);
    }
}
