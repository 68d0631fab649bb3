// Thousands of lives of a pipeline in a simulated world (tests/simulation). A failure names the command that
// tells it step by step. PAWL_SEED=<first seed> and PAWL_SCHEDULES=<how many> choose others.
#include <rapidcheck.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include <fmt/core.h>
#include <catch2/catch.hpp>

#include "tests/simulation/sim_world.h"

using namespace pawl::simulation;

namespace {

constexpr std::uint64_t schedules_default = 4'000;
constexpr std::uint64_t rebuild_schedules_default = 2'000;
constexpr std::uint64_t outbox_rebuild_schedules_default = 500;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string replay_command(const SimOptions& options) {
    return fmt::format("tools/simulate {} --trace", to_arguments(options));
}

// Dies at boundaries that only a longer look reaches would hide in a small number of schedules.
constexpr std::uint64_t schedules_that_reach_all = 1'000;

// `never`: the effect that this mode does not know.
void run_schedules(pawl::journal::SourceMode mode, std::string_view never) {
    const std::uint64_t first = number_from("PAWL_SEED", 1);
    const std::uint64_t schedules = number_from("PAWL_SCHEDULES", schedules_default);
    SimTally tally;
    for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
        const SimOptions options = options_of(seed, mode);
        INFO(replay_command(options));  // told even when an assertion ends the process
        const std::string violation = violation_of(options, &tally);
        if (violation.empty()) continue;
        FAIL(violation << "\nreplay: " << replay_command(options)
                       << "\nsmaller: " << replay_command(smaller(options)));
    }
    std::cout << to_string(tally) << "\n";
    if (schedules < schedules_that_reach_all) return;
    CHECK(tally.crashes_before_a_send > 0);
    CHECK(tally.disk_errors > 0);
    CHECK(tally.replays > 0);
    CHECK(tally.late_commits > 0);
    CHECK(tally.re_added > 0);
    CHECK(tally.second_pawls > 0);
    // Setting a timer is no boundary: nothing outside of the process changes by it.
    for (const std::string_view effect : pawl::engine::effect_names()) {
        if (effect == "set_timer" || effect == never) continue;
        CAPTURE(std::string(effect));
        CHECK(tally.crashed_at.contains(fmt::format("before:{}", effect)));
        CHECK(tally.crashed_at.contains(fmt::format("after:{}", effect)));
    }
}

SimTally run_rebuilds(pawl::journal::SourceMode mode, std::uint64_t schedules_otherwise) {
    const std::uint64_t first = number_from("PAWL_SEED", 1);
    const std::uint64_t schedules = number_from("PAWL_SCHEDULES", schedules_otherwise);
    SimTally tally;
    for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
        const SimOptions options = rebuild_options_of(seed, mode);
        INFO(replay_command(options));
        const std::string violation = violation_of(options, &tally);
        if (violation.empty()) continue;
        FAIL(violation << "\nreplay: " << replay_command(options)
                       << "\nsmaller: " << replay_command(smaller(options)));
    }
    std::cout << to_string(tally) << "\n";
    CHECK(tally.rebuilds_done >= schedules);
    return tally;
}

void dies_around_each_act(const SimTally& tally, pawl::ops::HasOutbox has_outbox) {
    using enum pawl::ops::RebuildStep;
    for (const auto step : {begin, resume, restart, conclude, refuse})
        CHECK(tally.rebuilds_by_step.contains(name_of(step)));
    for (const auto act : pawl::ops::acts_of(restart, has_outbox)) {
        CAPTURE(std::string(name_of(act)));
        CHECK(tally.crashed_at.contains(fmt::format("before:{}", name_of(act))));
        CHECK(tally.crashed_at.contains(fmt::format("after:{}", name_of(act))));
    }
}

}  // namespace

TEST_CASE("whatever goes wrong, nothing is lost, nothing goes backwards, and calm brings convergence") {
    run_schedules(pawl::journal::SourceMode::revision, "clean_up");
}

TEST_CASE("with an outbox too: what is deleted from it is in the index, and calm empties it") {
    run_schedules(pawl::journal::SourceMode::outbox, "prove_gaps");
}

TEST_CASE("the same holds while an operator has the index rebuilt, and no reader sees a half-filled one") {
    const SimTally tally = run_rebuilds(pawl::journal::SourceMode::revision, rebuild_schedules_default);
    if (tally.schedules < schedules_that_reach_all) return;
    CHECK(tally.writes_forgotten > 0);
    CHECK(tally.comparisons_that_differ > 0);
    dies_around_each_act(tally, pawl::ops::HasOutbox::no);
}

TEST_CASE("with an outbox too, whose rows are kept for the new index until they can come back") {
    const SimTally tally = run_rebuilds(pawl::journal::SourceMode::outbox, outbox_rebuild_schedules_default);
    CHECK(tally.hand_overs > 0);
    CHECK(tally.ids_raised > 0);
    if (tally.schedules < schedules_that_reach_all) return;
    CHECK(tally.comparisons_that_differ > 0);
    dies_around_each_act(tally, pawl::ops::HasOutbox::yes);
}

TEST_CASE("the same holds for any set of faults, and a failure comes with as few of them as will do") {
    REQUIRE(rc::check([] {
        const auto mode = *rc::gen::noShrink(
            rc::gen::element(pawl::journal::SourceMode::revision, pawl::journal::SourceMode::outbox));
        SimOptions options = options_of(*rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()), mode);
        for (std::size_t fault = 0; fault < faults; ++fault)
            options.on[fault] = *rc::gen::arbitrary<bool>();
        options.transactions = *rc::gen::inRange<std::uint32_t>(1, 40);
        options.strikes = *rc::gen::inRange<std::uint32_t>(0, 100);
        const std::string violation = violation_of(options);
        RC_LOG() << "replay: " << replay_command(options) << "\n" << describe(options) << "\n";
        RC_ASSERT(violation == "");
    }));
}
