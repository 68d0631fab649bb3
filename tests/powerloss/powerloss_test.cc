// Power cuts under a journal at work. PAWL_SEED=N gives a run again, PAWL_STATES=N makes it larger.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>

#include <catch2/catch.hpp>

#include "tests/powerloss/cuts.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::powerloss;
using pawl::journal::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t states_default = 1'500;

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::uint64_t seed() {
    static const std::uint64_t chosen = number_from("PAWL_SEED", std::random_device{}() % 1'000'000);
    return chosen;
}

// A part of all the states that are asked for.
std::size_t states(std::size_t percent) {
    return number_from("PAWL_STATES", states_default) * percent / 100;
}

CutReport cut_power_under(const WorkloadOptions& options, const CutPlan& plan) {
    const TemporaryFolder folder;
    const Workplace place(folder.path());
    std::string said;
    const int ended = place.run(options, said);
    INFO(said);
    REQUIRE(ended == 0);
    const Trace trace(place.trace());
    fs::create_directory(folder.path() / "states");
    return cut_power(trace, place.journal(), plan, folder.path() / "states");
}

void expect_sound(const char* what, const CutReport& report) {
    std::cout << what << ", PAWL_SEED=" << seed() << ": " << to_string(report) << std::flush;
    INFO(to_string(report));
    CHECK(report.findings.empty());
}

}  // namespace

TEST_CASE(
    "after a power cut the journal shows the last acknowledged state or the one under way, and goes on") {
    const WorkloadOptions options{.kind = "changes", .seed = seed(), .commits = 300 + states(20)};
    const CutReport report = cut_power_under(options, {.seed = seed(),
                                                       .boundaries = states(40),
                                                       .random = states(30),
                                                       .rot = 0,
                                                       .lies = 0,
                                                       .world_seed = {}});
    expect_sound("changes", report);
    CHECK(report.states() > states(60));
    CHECK(report.writes > 2 * options.commits);
}

TEST_CASE("the same while the map grows") {
    const CutReport report =
        cut_power_under({.kind = "large", .seed = seed(), .commits = 60}, {.seed = seed(),
                                                                           .boundaries = states(2),
                                                                           .random = states(3),
                                                                           .rot = 0,
                                                                           .lies = 0,
                                                                           .world_seed = {}});
    expect_sound("a growing map", report);
}

TEST_CASE("from whatever a power cut leaves, the engine brings the index in step") {
    CutReport sum;
    const std::uint64_t worlds = 12;
    for (std::uint64_t world = seed(); world < seed() + worlds; ++world)
        sum.add(cut_power_under({.kind = "world", .seed = world}, {.seed = world,
                                                                   .boundaries = states(10) / worlds,
                                                                   .random = states(10) / worlds,
                                                                   .rot = 0,
                                                                   .lies = 0,
                                                                   .world_seed = world}));
    expect_sound("the engine's worlds", sum);
    CHECK(sum.states() > states(10));
}

TEST_CASE(
    "a disk that lies costs commits, one that rots is named as damage, and neither shows what never was") {
    const CutReport report =
        cut_power_under({.kind = "changes", .seed = seed() + 1, .commits = 400}, {.seed = seed(),
                                                                                  .boundaries = 0,
                                                                                  .random = 0,
                                                                                  .rot = states(12),
                                                                                  .lies = states(8),
                                                                                  .world_seed = {}});
    expect_sound("a disk that lies or rots", report);
    CHECK(report.count(Outcome::damaged) > 0);
}

TEST_CASE("a process that is killed, another that goes on, and then a power cut") {
    CutReport sum;
    const std::size_t kills = 30;
    Chance chance(seed());
    for (std::size_t kill = 0; kill < kills; ++kill) {
        const TemporaryFolder folder;
        const Workplace place(folder.path());
        // The first twenty calls make the journal; then any will do.
        const std::uint64_t call = kill < 20 ? kill + 1 : 21 + chance.below(80);
        WorkloadOptions options{.seed = seed(), .commits = 40};
        options.fault = "kill:" + std::to_string(call);
        std::string said;
        INFO("killed at call " << call);
        REQUIRE(place.run(options, said) == -SIGKILL);
        options.fault.clear();
        REQUIRE(place.run(options, said) == 0);
        fs::create_directory(folder.path() / "states");
        const Trace trace(place.trace());
        sum.add(cut_power(trace, place.journal(),
                          {.seed = seed(),
                           .boundaries = states(8) / kills,
                           .random = states(4) / kills,
                           .rot = 0,
                           .lies = 0,
                           .world_seed = {}},
                          folder.path() / "states"));
    }
    expect_sound("killed before", sum);
}

TEST_CASE("planted bugs are found") {
    const CutPlan plan{
        .seed = seed(), .boundaries = 200, .random = 300, .rot = 0, .lies = 0, .world_seed = {}};
    WorkloadOptions options{.kind = "changes", .seed = seed(), .commits = 150};
    SECTION("LMDB does not sync") {
        options.lmdb = "nosync";
    }
    SECTION("LMDB does not sync its meta pages") {
        options.lmdb = "nometasync";
    }
    SECTION("a commit is acknowledged before it is made") {
        options.acknowledges_early = true;
    }
    const CutReport report = cut_power_under(options, plan);
    CHECK(report.findings.size() > 5);
}
