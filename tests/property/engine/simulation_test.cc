// Thousands of lives of a pipeline in a simulated world (tests/simulation). To run a failed one again:
// PAWL_SEED=<its seed> property_engine; more of them: PAWL_SCHEDULES=<how many>.
#include <rapidcheck.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include <catch2/catch.hpp>

#include "tests/simulation/sim_world.h"

using namespace pawl::simulation;

namespace {

constexpr std::uint64_t schedules_default = 4'000;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What was violated; empty: nothing.
std::string violation_of(const SimOptions& options, SimTally& tally) {
    SimWorld world(options);
    try {
        world.run();
    } catch (const Violation& violation) {
        return violation.text;
    }
    tally.add(world.tally());
    return {};
}

// The same failure with as few faults and writes as possible.
SimOptions smaller(SimOptions options) {
    const auto fails = [](const SimOptions& candidate) {
        SimTally unused;
        return !violation_of(candidate, unused).empty();
    };
    for (std::size_t fault = 0; fault < faults; ++fault) {
        SimOptions without = options;
        without.on[fault] = false;
        if (fails(without)) options = without;
    }
    while (options.transactions > 1) {
        SimOptions fewer = options;
        --fewer.transactions;
        if (!fails(fewer)) break;
        options = fewer;
    }
    return options;
}

}  // namespace

TEST_CASE("whatever goes wrong, nothing is lost, nothing goes backwards, and calm brings convergence") {
    const bool one_seed = std::getenv("PAWL_SEED") != nullptr;
    const std::uint64_t first = number_from("PAWL_SEED", 1);
    const std::uint64_t schedules = number_from("PAWL_SCHEDULES", one_seed ? 1 : schedules_default);
    SimTally tally;
    for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
        INFO("PAWL_SEED=" << seed);  // an assertion of the engine ends the process: this line is still told
        const SimOptions options = options_of(seed);
        const std::string violation = violation_of(options, tally);
        if (violation.empty()) continue;
        FAIL(violation << "\n" << to_string(options) << "\nsmaller: " << to_string(smaller(options)));
    }
    std::cout << schedules << " schedules: " << to_string(tally) << "\n";
}

TEST_CASE("the same holds for any set of faults, and a failure comes with as few of them as will do") {
    REQUIRE(rc::check([] {
        SimOptions options = options_of(*rc::gen::noShrink(rc::gen::arbitrary<std::uint64_t>()));
        for (std::size_t fault = 0; fault < faults; ++fault)
            options.on[fault] = *rc::gen::arbitrary<bool>();
        options.transactions = *rc::gen::inRange<std::uint32_t>(1, 40);
        SimTally unused;
        const std::string violation = violation_of(options, unused);
        RC_LOG() << to_string(options) << "\n";
        RC_ASSERT(violation == "");
    }));
}
