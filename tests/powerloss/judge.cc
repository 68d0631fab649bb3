#include "tests/powerloss/judge.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "journal/reader.h"
#include "journal/writer.h"
#include "tests/powerloss/world.h"
#include "tests/simulation/sim_world.h"
#include "tests/support/journal_model.h"
#include "tests/unit/journal/support.h"

namespace pawl::powerloss {
namespace {

using namespace journal;
namespace fs = std::filesystem;

// As it crosses from the child.
struct Slip {
    bool written = false;
    Outcome outcome = Outcome::crashed;
    std::uint64_t number = 0;
    std::array<char, 400> text{};
};

struct Opinion {
    Outcome outcome;
    std::uint64_t number = 0;
    std::string text;
};

std::string converge(const Case& one, const std::vector<PipelineSnapshot>& found) {
    simulation::SimWorld world(world_options_of(*one.world_seed));
    std::uint64_t commits = 0;
    world.journal().beneath = [&](std::span<const Change>) -> Result<void> {
        if (++commits != one.world_commit) return {};
        world.journal().restore(found.empty() ? std::nullopt : std::optional(found.front()));
        throw simulation::Crash{"power cut"};
    };
    try {
        world.run();
    } catch (const simulation::Violation& violation) {
        return violation.text;
    }
    return {};
}

// Works on all tables of the journal; empty: it went on as it should.
std::string go_on(Writer writer, const fs::path& folder, const std::vector<PipelineSnapshot>& before) {
    test::JournalModel model;
    std::vector<Change> changes{test::begin_of("probe", 7), test::open_of("probe", 1, 8, 9)};
    for (const PipelineSnapshot& snapshot : before)
        changes.emplace_back(DropQuarantine{snapshot.pipeline.name, {}});
    for (int i = 0; i < 3; ++i) {
        if (i > 0) changes = {DropQuarantine{"probe", {}}};
        if (const auto done = writer.commit(changes); !done) return to_line(done.error());
    }
    {
        const Writer closed = std::move(writer);
    }
    const auto after = read_journal(folder);
    if (!after) return to_line(after.error());
    if (!after->damages.empty()) return after->damages.front().where + ": " + after->damages.front().what;
    std::vector<PipelineSnapshot> rest;
    std::ranges::copy_if(after->pipelines, std::back_inserter(rest),
                         [](const auto& snapshot) { return snapshot.pipeline.name != "probe"; });
    std::vector<PipelineSnapshot> expected = before;
    for (PipelineSnapshot& snapshot : expected)
        snapshot.quarantine.clear();
    return rest.size() + 1 == after->pipelines.size() && test::equal(rest, expected)
               ? std::string()
               : "another state after three commits";
}

Opinion opinion_of(const Case& one, const States& states) {
    const fs::path folder = one.folder;
    const bool is_there = fs::exists(folder / "data.mdb");
    const auto contents = read_journal(folder);
    auto writer = Writer::open(folder);
    if (is_there && !contents)
        return {writer ? Outcome::disagree : Outcome::refused, 0, to_line(contents.error())};
    if (contents && !contents->damages.empty())
        return {writer ? Outcome::disagree : Outcome::damaged, 0,
                contents->damages.front().where + ": " + contents->damages.front().what};
    if (!writer) return {Outcome::disagree, 0, to_line(writer.error())};
    const auto shown = writer->read();
    if (!shown) return {Outcome::disagree, 0, to_line(shown.error())};
    if (contents && !test::equal(contents->pipelines, *shown))
        return {Outcome::disagree, 0, "another state by LMDB than by pages"};
    const auto number = states.number_of(test::digest_of(*shown), one.at_least, one.at_most);
    if (!number) return {Outcome::never_was, 0, {}};
    if (one.world_seed)
        if (std::string text = converge(one, *shown); !text.empty())
            return {Outcome::diverges, *number, std::move(text)};
    if (std::string text = go_on(std::move(*writer), folder, *shown); !text.empty())
        return {Outcome::does_not_go_on, *number, std::move(text)};
    return {Outcome::fine, *number, {}};
}

void judge_from(std::size_t first, const std::vector<Case>& cases, const States& states, Slip* slips) {
    for (std::size_t i = first; i < cases.size(); ++i) {
        const Opinion opinion = opinion_of(cases[i], states);
        slips[i].outcome = opinion.outcome;
        slips[i].number = opinion.number;
        opinion.text.copy(slips[i].text.data(), slips[i].text.size() - 1);
        slips[i].written = true;
    }
}

}  // namespace

std::string_view name_of(Outcome outcome) {
    constexpr std::array<std::string_view, static_cast<std::size_t>(Outcome::count_of_them)> names{
        "opened",         "damaged",  "refused", "a state that never was", "reader and writer disagree",
        "does not go on", "diverges", "crashed"};
    return names.at(static_cast<std::size_t>(outcome));
}

std::vector<Verdict> judge(const std::vector<Case>& cases, const States& states) {
    if (cases.empty()) return {};
    const std::size_t bytes = cases.size() * sizeof(Slip);
    void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory for verdicts");
    auto* const slips = static_cast<Slip*>(memory);
    std::vector<Verdict> verdicts;
    while (verdicts.size() < cases.size()) {
        const int ended = test::in_child([&] {
            judge_from(verdicts.size(), cases, states, slips);
            return 0;
        });
        while (verdicts.size() < cases.size() && slips[verdicts.size()].written) {
            const Slip& slip = slips[verdicts.size()];
            verdicts.push_back({slip.outcome, slip.number, slip.text.data()});
        }
        if (verdicts.size() < cases.size())
            verdicts.push_back({Outcome::crashed, 0, "ended with " + std::to_string(ended)});
    }
    ::munmap(memory, bytes);
    return verdicts;
}

}  // namespace pawl::powerloss
