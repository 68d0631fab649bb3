// Would the simulation notice? Each mistake of base/planted.h is switched on and must be found, by a check or
// by an assertion, within the number of schedules that its list states.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <set>
#include <string>

#include <fmt/core.h>
#include <catch2/catch.hpp>

#include "base/assert.h"
#include "tests/simulation/planted_bugs.h"
#include "tests/simulation/sim_world.h"

using namespace pawl;
using namespace pawl::simulation;

namespace {

// Of the child that runs the schedules; it may die by an assertion.
struct Told {
    std::uint64_t seed = 0;  // of the schedule at hand
    std::array<char, 200> how{};
};

// What the child said last before it died.
std::string last_line_of(std::FILE* file) {
    std::rewind(file);
    std::array<char, 512> line{};
    std::string found;
    while (std::fgets(line.data(), line.size(), file) != nullptr) {
        const std::string text = line.data();
        if (text.find("assertion failed") != text.npos || text.find("what():") != text.npos)
            found = text.substr(0, text.find('\n'));
    }
    return found;
}

// An exception ends the child like an assertion.
void run_schedules(const PlantedBug& bug, std::uint64_t schedules, Told& told) noexcept {
    planted::chosen = bug.bug;
    const auto options_at = [&](std::uint64_t seed) {
        return bug.in_rebuild ? rebuild_options_of(seed, bug.mode) : options_of(seed, bug.mode);
    };
    for (told.seed = 1; told.seed <= schedules; ++told.seed) {
        const std::string violation = violation_of(options_at(told.seed));
        if (violation.empty()) continue;
        violation.copy(told.how.data(), told.how.size() - 1);
        _exit(1);
    }
    _exit(0);
}

// By what, at which seed; seed 0: not found.
struct Find {
    std::uint64_t seed = 0;
    std::string how;
};

Find find(const PlantedBug& bug, std::uint64_t schedules) {
    void* const shared =
        ::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(shared != MAP_FAILED);
    auto& told = *new (shared) Told;
    std::FILE* const words = std::tmpfile();
    REQUIRE(words != nullptr);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(::fileno(words), STDERR_FILENO);
        for (const int signal : {SIGABRT, SIGSEGV})
            std::signal(signal, SIG_DFL);  // Catch2's handlers are for the parent
        run_schedules(bug, schedules, told);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    Find found;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        found.seed = told.seed;
        found.how = told.how[0] != '\0' ? std::string(told.how.data()) : last_line_of(words);
        CHECK_FALSE(found.how.empty());  // it died of what it was to die of
    }
    std::fclose(words);
    ::munmap(shared, sizeof(Told));
    return found;
}

}  // namespace

TEST_CASE("the simulation finds each planted bug within its stated number of schedules") {
    for (const PlantedBug& bug : planted_bugs()) {
        if (bug.schedules_max == 0) continue;
        CAPTURE(std::string(bug.name));
        const Find found = find(bug, bug.schedules_max);
        CHECK(found.seed > 0);
        std::cout << fmt::format("{:<32} {:>6} of {:>6}  {}\n", bug.name, found.seed, bug.schedules_max,
                                 found.how);
    }
}

TEST_CASE("what the simulation cannot find is still not found: else it has a number to be stated") {
    constexpr std::uint64_t schedules = 2'000;
    for (const PlantedBug& bug : planted_bugs()) {
        if (bug.schedules_max != 0) continue;
        CAPTURE(std::string(bug.name));
        CHECK(find(bug, schedules).seed == 0);
        CHECK_FALSE(bug.why_not_found.empty());
    }
}

TEST_CASE("every planted bug stands in the list, under its own name") {
    std::set<planted::Bug> listed;
    std::set<std::string_view> names;
    for (const PlantedBug& bug : planted_bugs()) {
        CHECK(listed.insert(bug.bug).second);
        CHECK(names.insert(bug.name).second);
        CHECK(planted_bug_named(bug.name) == &bug);
    }
    CHECK(listed.size() == static_cast<std::size_t>(planted::Bug::count_of_them) - 1);  // but for none
}

TEST_CASE("two pawls on one pipeline raise nothing, since one of them has the lease") {
    constexpr std::uint64_t schedules = 1'000;
    for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
        SimOptions options = options_of(seed);
        options.on = {};
        options.set(Fault::pauses, true);
        options.set(Fault::second_pawl, true);
        options.strict = true;
        INFO(to_arguments(options));
        CHECK(violation_of(options).empty());
    }
}
