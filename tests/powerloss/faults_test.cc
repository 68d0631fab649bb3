// A disk that is full, fails or is read-only from any call on: a clear error, nothing lost, and on it goes
// when the disk is mended. PAWL_SEED=N gives a run again.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include <catch2/catch.hpp>

#include "tests/powerloss/cuts.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::powerloss;
using pawl::journal::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// The journal is opened again once; or more often, in a run that is to be larger.
std::uint64_t commits() {
    return std::getenv("PAWL_STATES") == nullptr ? 12 : 32;
}
constexpr std::uint64_t calls_max = 2'000;

// What one failing call leads to. False: the workload came to its end before that call.
bool fails_soundly(const std::string& kind, std::uint64_t call, std::map<std::string, int>& said_by_kind) {
    const TemporaryFolder folder;
    const Workplace place(folder.path());
    const WorkloadOptions options{
        .seed = 5, .commits = commits(), .fault = kind + ":" + std::to_string(call)};
    std::string said;
    const int ended = place.run(options, said);
    INFO(kind << " at call " << call << ": exit " << ended << ": " << said);
    const States states = states_in(place.marks());
    // A call that may fail without harm (taking away what is left over) is no error.
    CHECK((ended == 0 || ended == 4));
    if (ended == 0) CHECK(states.acknowledged() == commits());
    if (ended == 4) CHECK_THAT(said, Catch::StartsWith("storage: ") && Catch::Contains(place.journal()));
    const std::string what = said.substr(0, said.find(place.journal()));
    if (ended == 4) ++said_by_kind[kind + ": " + what];

    // What the page cache shows, and what the disk holds when the power goes now. A disk whose syncs fail
    // keeps no promises: of a meta page it may have the half that LMDB leaves and not what was put back.
    // Damage, then.
    const Trace trace(place.trace());
    Disk disk;
    for (const TraceEvent& event : trace.events())
        disk.put(event);
    Chance chance(call);
    const auto case_in = [&](std::string where) {
        return Case{.folder = std::move(where),
                    .at_least = states.acknowledged(),
                    .at_most = states.tried(),
                    .world_seed = {}};
    };
    std::vector<Case> cases{case_in(place.journal())};
    for (const Loss loss : {Loss::all, Loss::nothing, Loss::dropped}) {
        cases.push_back(case_in(folder.path() / ("cut" + std::to_string(cases.size()))));
        write_state(disk.after(loss, chance), place.journal(), cases.back().folder);
    }
    if (!fs::exists(place.journal())) fs::create_directory(place.journal());
    const auto verdicts = judge(cases, states);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const Verdict& verdict = verdicts[i];
        if (kind == "eio" && i == 3 && verdict.outcome == Outcome::damaged) continue;
        INFO(name_of(verdict.outcome) << ": state " << verdict.number << " of " << states.acknowledged()
                                      << " to " << states.tried() << ": " << verdict.text);
        CHECK(verdict.outcome == Outcome::fine);
        CHECK(verdict.number >= states.acknowledged());
        CHECK(verdict.number <= states.tried());
    }
    return ended != 0 || call < 20;
}

}  // namespace

TEST_CASE("whichever call fails, the error is clear, nothing acknowledged is lost, and later it goes on") {
    std::map<std::string, int> said;
    std::size_t calls = 0;
    const char* const only = std::getenv("PAWL_FAULT");
    for (const std::string kind : {"enospc", "eio_write", "eio_once", "eio", "erofs"}) {
        if (only != nullptr && kind != only) continue;
        std::uint64_t call = 1;
        std::uint64_t harmless = 0;
        // The end of the workload has been passed when many in a row have had no effect.
        for (; call < calls_max && harmless < 8; ++call, ++calls)
            harmless = fails_soundly(kind, call, said) ? 0 : harmless + 1;
        CHECK(call > 60);
        CHECK(call < calls_max);
    }
    std::cout << calls << " failing calls\n";
    for (const auto& [what, count] : said)
        std::cout << "  " << count << "  " << what << "\n";
}
