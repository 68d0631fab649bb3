#include "engine/recovery.h"

#include <map>
#include <set>

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::engine;

namespace {

using journal::SourceMode;

// All that can be said of a pipeline without its mode and its fill.
std::vector<RecoveryFacts> all_facts() {
    std::vector<RecoveryFacts> all;
    for (const auto journal : {JournalFact::absent, JournalFact::present})
        for (const auto source : {SourceFact::same, SourceFact::other})
            for (const auto history : {HistoryFact::intact, HistoryFact::went_back})
                for (const auto target : {TargetFact::same, TargetFact::created, TargetFact::existing})
                    for (const auto memory : {MemoryFact::none, MemoryFact::known, MemoryFact::older,
                                              MemoryFact::erased, MemoryFact::newer})
                        for (const auto batch : {BatchFact::none, BatchFact::intent, BatchFact::applied})
                            all.push_back({.journal = journal,
                                           .source = source,
                                           .history = history,
                                           .target = target,
                                           .memory = memory,
                                           .batch = batch});
    return all;
}

std::vector<RecoveryFacts> everything_possible() {
    std::vector<RecoveryFacts> possible;
    for (const auto mode : {SourceMode::revision, SourceMode::outbox})
        for (const auto fill : {FillFact::done, FillFact::unfinished})
            for (RecoveryFacts facts : all_facts()) {
                facts.mode = mode;
                facts.fill = fill;
                if (is_possible(facts)) possible.push_back(facts);
            }
    return possible;
}

}  // namespace

TEST_CASE("exactly one row matches everything that is possible") {
    CHECK(everything_possible().size() > 50);
    for (const RecoveryFacts& facts : everything_possible()) {
        int matching = 0;
        for (const RecoveryRow& row : recovery_table())
            matching += matches(row, facts) ? 1 : 0;
        CHECK(matching == 1);
        CHECK(matches(decide(facts), facts));
    }
}

TEST_CASE("every row is reached") {
    std::set<std::string_view> reached;
    for (const RecoveryFacts& facts : everything_possible())
        reached.insert(decide(facts).label);
    for (const RecoveryRow& row : recovery_table())
        CHECK(reached.contains(row.label));
}

TEST_CASE("labels are R01, R02, … in order, and every row explains itself") {
    int number = 0;
    for (const RecoveryRow& row : recovery_table()) {
        ++number;
        CHECK(row.label == (number < 10 ? "R0" : "R") + std::to_string(number));
        CHECK_FALSE(row.explanation.empty());
        CHECK_FALSE(name_of(row.decision).empty());
    }
}

TEST_CASE("a history that went back is never read from, whatever the rest is") {
    for (const RecoveryFacts& facts : everything_possible())
        if (facts.history == HistoryFact::went_back && facts.source == SourceFact::same)
            CHECK(decide(facts).decision == Decision::regressed);
}

TEST_CASE("what an index remembers less than it was told is done again, from there") {
    RecoveryFacts facts{
        .journal = JournalFact::present, .target = TargetFact::same, .memory = MemoryFact::older};
    CHECK(decide(facts).decision == Decision::resume);
    facts.memory = MemoryFact::erased;
    CHECK(decide(facts).decision == Decision::adopt);
    facts.memory = MemoryFact::newer;
    CHECK(decide(facts).decision == Decision::resume);
    facts.target = TargetFact::existing;
    facts.memory = MemoryFact::known;
    CHECK(decide(facts).decision == Decision::resume);
    facts.journal = JournalFact::absent;
    CHECK(decide(facts).decision == Decision::resume);
}

TEST_CASE("an open batch is replayed from INTENT and rolled forward from APPLIED") {
    RecoveryFacts facts{.journal = JournalFact::present,
                        .target = TargetFact::same,
                        .memory = MemoryFact::known,
                        .batch = BatchFact::intent};
    CHECK(decide(facts).decision == Decision::replay);
    facts.batch = BatchFact::applied;
    CHECK(decide(facts).decision == Decision::roll_forward);
    facts.batch = BatchFact::none;
    CHECK(decide(facts).decision == Decision::go_on);
}

TEST_CASE("another source is refused whatever the index and the batches are") {
    for (const RecoveryFacts& facts : everything_possible()) {
        if (facts.source == SourceFact::same) continue;
        CHECK(decide(facts).decision == Decision::refuse);
    }
}

TEST_CASE("batches that were meant for another index are never replayed into this one") {
    for (const RecoveryFacts& facts : everything_possible()) {
        if (facts.target == TargetFact::same) continue;
        const Decision decision = decide(facts).decision;
        CHECK(decision != Decision::replay);
        CHECK(decision != Decision::roll_forward);
        CHECK(decision != Decision::go_on);
    }
}

TEST_CASE(
    "in outbox mode an index that remembers less than it was told, or than the journal has read, is not "
    "fed") {
    for (const RecoveryFacts& facts : everything_possible()) {
        if (facts.mode != SourceMode::outbox) continue;
        const Decision decision = decide(facts).decision;
        CHECK(decision != Decision::adopt);
        const bool lacks_something =
            facts.memory == MemoryFact::older || facts.memory == MemoryFact::erased ||
            (facts.memory == MemoryFact::none && facts.target == TargetFact::existing);
        if (lacks_something && facts.fill == FillFact::done)
            CHECK((decision == Decision::refill || decision == Decision::refuse ||
                   decision == Decision::regressed));
    }
}

TEST_CASE(
    "a fill that has not come to its end goes on, whatever else there is, unless the outbox went back") {
    for (const RecoveryFacts& facts : everything_possible()) {
        if (facts.fill == FillFact::done || facts.source == SourceFact::other) continue;
        CHECK(decide(facts).decision ==
              (facts.history == HistoryFact::intact ? Decision::fill : Decision::regressed));
    }
}
