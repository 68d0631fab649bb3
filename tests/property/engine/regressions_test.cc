// tests/simulation/regressions/*.txt: runs that once showed something wrong. The first line is the symptom,
// the second the options (tools/simulate's). Each must be clean now. Most are of planted bugs, which must
// show again in most of them: a change of the engine or of the simulation changes how a seed goes on, and
// then a run may miss what it was kept for. `tools/simulate --plant BUG --schedules 10000 --seed 1` finds
// another one.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/planted.h"
#include "tests/simulation/planted_bugs.h"
#include "tests/simulation/sim_world.h"

using namespace pawl;
using namespace pawl::simulation;

namespace {

struct Regression {
    std::string symptom;
    SimOptions options;
    planted::Bug bug = planted::Bug::none;
};

Regression read(const std::filesystem::path& path) {
    std::ifstream file(path);
    Regression regression;
    std::string line;
    REQUIRE(std::getline(file, regression.symptom));
    REQUIRE(std::getline(file, line));
    std::istringstream words(line);
    std::vector<std::string> arguments;
    for (std::string word; words >> word;)
        arguments.push_back(word);
    const auto plant = std::find(arguments.begin(), arguments.end(), "--plant");
    if (plant != arguments.end()) {
        REQUIRE(plant + 1 != arguments.end());
        const PlantedBug* const bug = planted_bug_named(*(plant + 1));
        REQUIRE(bug != nullptr);
        regression.bug = bug->bug;
        arguments.erase(plant, plant + 2);
    }
    const auto options = parse(arguments);
    if (!options) FAIL(options.error().message);
    regression.options = *options;
    return regression;
}

}  // namespace

TEST_CASE(
    "what once went wrong in the simulation goes right, and still shows its bug where that is planted") {
    std::size_t count = 0;
    std::size_t planted_ones = 0;
    std::size_t shown = 0;
    for (const auto& entry : std::filesystem::directory_iterator(PAWL_REGRESSIONS)) {
        if (entry.path().extension() != ".txt") continue;
        ++count;
        const Regression regression = read(entry.path());
        CAPTURE(entry.path().filename().string(), regression.symptom);
        CHECK(violation_of(regression.options) == "");
        if (regression.bug == planted::Bug::none) continue;
        ++planted_ones;
        planted::chosen = regression.bug;
        if (!violation_of(regression.options).empty()) ++shown;
        planted::chosen = planted::Bug::none;
    }
    std::cout << shown << " of " << planted_ones << " kept runs still show their planted bug\n";
    CHECK(count >= 10);
    CHECK(shown * 2 >= planted_ones);
}
