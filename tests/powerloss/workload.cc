// Writes a journal and says on a second file what has been acknowledged; run with the preloaded library.
//
//   powerloss_workload changes FOLDER MARKS SEED COMMITS    random changes, opened again now and then
//   powerloss_workload large   FOLDER MARKS SEED COMMITS    commits of 300 KB: the map grows
//   powerloss_workload world   FOLDER MARKS SEED            the engine in its simulated world
//
// Goes on where a former one of the same seed was killed. Exit code: that of the error it met.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "journal/writer.h"
#include "tests/powerloss/changes.h"
#include "tests/powerloss/marks.h"
#include "tests/powerloss/world.h"
#include "tests/simulation/sim_world.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::powerloss;
using pawl::journal::test::digest_of;
using pawl::journal::test::JournalModel;

namespace {

// Planted bug: the mark comes before the commit.
const bool acknowledges_early = std::getenv("PAWL_ACKNOWLEDGE_EARLY") != nullptr;
constexpr std::uint64_t commits_per_opening = 10;

class Marks {
  public:
    explicit Marks(const char* file) : descriptor_(::open(file, O_WRONLY | O_CREAT | O_APPEND, 0600)) {}
    void say(const std::string& line) const {
        if (::write(descriptor_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
    }

  private:
    int descriptor_;
};

[[noreturn]] void end_with(const Error& error) {
    std::cerr << name_of(error.kind) << ": " << to_line(error) << "\n";
    std::_Exit(exit_code_of(error.kind));
}

// The writer under test, and what it must hold.
class Journal {
  public:
    Journal(std::filesystem::path folder, const Marks& marks) : folder_(std::move(folder)), marks_(marks) {}

    void open() {
        writer_.reset();
        auto opened = Writer::open(folder_);
        if (!opened) end_with(opened.error());
        writer_ = std::move(*opened);
        const auto shown = writer_->read();
        if (!shown) end_with(shown.error());
        marks_.say(shown_mark(digest_of(*shown)));
        shown_ = digest_of(*shown);
    }
    std::uint64_t shown() const { return shown_; }

    void commit(std::uint64_t number, std::uint64_t digest, std::span<const Change> changes) {
        marks_.say(try_mark(number, digest));
        if (acknowledges_early) marks_.say(ack_mark(number));
        if (const auto done = writer_->commit(changes); !done) end_with(done.error());
        if (!acknowledges_early) marks_.say(ack_mark(number));
    }

  private:
    std::filesystem::path folder_;
    const Marks& marks_;
    std::optional<Writer> writer_;
    std::uint64_t shown_ = 0;
};

void write_changes(Journal& journal, std::uint64_t seed, std::uint64_t commits, bool large) {
    Chance chance(seed);
    JournalModel model;
    journal.open();
    // A former one may have come to any of the states: they are walked through again up to that one.
    bool found = journal.shown() == digest_of(model.all());
    for (std::uint64_t number = 1; number <= commits; ++number) {
        const bool is_large = large && number <= 35;
        const auto changes =
            is_large ? large_transaction(model, number) : some_transaction(model, number, chance);
        const std::uint64_t digest = digest_of(model.all());
        if (found) {
            journal.commit(number, digest, changes);
            if (number % commits_per_opening == 0) journal.open();
        } else {
            found = journal.shown() == digest;
        }
    }
    if (!found) {
        std::cerr << "the journal shows a state that never was\n";
        std::_Exit(1);
    }
}

void write_world(Journal& journal, std::uint64_t seed) {
    simulation::SimWorld world(world_options_of(seed));
    JournalModel model;
    std::uint64_t number = 0;
    journal.open();
    world.journal().beneath = [&](std::span<const Change> changes) -> Result<void> {
        for (const Change& change : changes)
            model.put(change);
        journal.commit(++number, digest_of(model.all()), changes);
        return {};
    };
    world.run();
}

}  // namespace

int main(int count, char** words) {
    const std::string kind = count > 4 ? words[1] : "";
    if (kind.empty() || (kind != "world" && count < 6)) {
        std::cerr << "usage: powerloss_workload changes|large|world FOLDER MARKS SEED [COMMITS]\n";
        return 2;
    }
    const Marks marks(words[3]);
    const std::uint64_t seed = std::strtoull(words[4], nullptr, 10);
    Journal journal(words[2], marks);
    try {
        if (kind == "world")
            write_world(journal, seed);
        else
            write_changes(journal, seed, std::strtoull(words[5], nullptr, 10), kind == "large");
    } catch (const simulation::Violation& violation) {
        std::cerr << violation.text << "\n";
        return 1;
    }
    return 0;
}
