// What is said of a journal after a power cut: opened in a child process, since the worst answer is a crash.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/powerloss/recording.h"

namespace pawl::powerloss {

enum class Outcome : std::uint8_t {
    fine,            // it shows a state that was, and goes on
    damaged,         // it says that it is damaged, and so does the writer
    refused,         // it says that it is no journal, or cut short before its beginning
    never_was,       // it shows a state that never was
    disagree,        // reader and writer do not say the same
    does_not_go_on,  // it cannot be written any more, or not be read after that
    diverges,        // the engine does not bring the index in step from it
    crashed,
    count_of_them,
};
std::string_view name_of(Outcome outcome);

struct Verdict {
    Outcome outcome = Outcome::crashed;
    std::uint64_t number = 0;  // of the state that is shown
    std::string text;
};

// A folder to judge.
struct Case {
    std::string folder;
    // Which states it may show.
    std::uint64_t at_least = 0;
    std::uint64_t at_most = 0;
    // The state is put into this simulated world at its n-th commit, and the world runs to its end.
    std::optional<std::uint64_t> world_seed;
    std::uint64_t world_commit = 0;
};

std::vector<Verdict> judge(const std::vector<Case>& cases, const States& states);

}  // namespace pawl::powerloss
