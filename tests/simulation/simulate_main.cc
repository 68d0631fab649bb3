// Runs schedules of the simulation, or tells one of them step by step. tools/simulate builds and starts it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <unistd.h>

#include "base/planted.h"
#include "tests/simulation/planted_bugs.h"
#include "tests/simulation/sim_world.h"

using namespace pawl;
using namespace pawl::simulation;

namespace {

constexpr std::string_view usage =
    R"(Usage: tools/simulate [--seed N] [--schedules N | --seconds S] [--jobs N] [--plant BUG]
       tools/simulate --seed N [--rebuild] [--mode M] [--faults A,B,… | none] [--transactions N] [--strikes N]
                      [--faults-end-ms N]
                      [--strict] [--plant BUG] --trace

Runs the engine and its recovery in a simulated world, one schedule for each seed from N on (default: a fresh
seed, one schedule), and checks what pawl promises after every step. Without a violation it prints what the runs
have been through and exits with 0, else with 1 and the command that replays the failure.

  --mode M        revision (default) or outbox
  --trace         tells the schedule of this seed step by step
  --schedules N   so many seeds          --seconds S   as many as go into this time
  --jobs N        threads (default 1)    --plant BUG   with a planted bug: --list-bugs names them
  --faults, --transactions, --strikes, --faults-end-ms
                  instead of what follows from the seed: how failures are made smaller
  --rebuild       an operator has the index rebuilt meanwhile; comes right after --seed, or without it
  --strict        nothing is forgiven that an alias which moves raises for a while

Example: tools/simulate --seconds 60
         tools/simulate --seed 17 --faults crashes,late_commits --transactions 5 --trace
)";

struct Choice {
    SimOptions options;
    bool has_overrides = false;
    bool trace = false;
    std::uint64_t schedules = 1;
    std::optional<double> seconds;
    unsigned jobs = 1;
};

[[noreturn]] void refuse(const std::string& why) {
    fmt::print(stderr, "simulate: {}\nTry: tools/simulate --help\n", why);
    std::exit(2);
}

std::uint64_t number(const std::string& option, const std::string& text) {
    try {
        std::size_t used = 0;
        const std::uint64_t value = std::stoull(text, &used);
        if (used == text.size()) return value;
    } catch (const std::exception&) {  // std::stoull's way to say no
    }
    refuse(fmt::format("{} wants a number, not \"{}\"", option, text));
}

void plant(const std::string& name) {
    const PlantedBug* const bug = planted_bug_named(name);
    if (bug == nullptr) refuse(fmt::format("there is no bug \"{}\"; --list-bugs names them", name));
    planted::chosen = bug->bug;
}

[[noreturn]] void list_bugs() {
    for (const PlantedBug& bug : planted_bugs())
        fmt::print("{:<36} within {:>6} schedules{}: {}\n", bug.name, bug.schedules_max,
                   std::string(bug.mode == journal::SourceMode::outbox ? " of --mode outbox" : "") +
                       (bug.in_rebuild ? " with --rebuild" : ""),
                   bug.mistake);
    std::exit(0);
}

Choice choose(const std::vector<std::string>& arguments) {
    Choice choice;
    const char* const wanted = std::getenv("PAWL_SIMULATE_SEED");
    std::vector<std::string> of_run{"--seed",
                                    wanted != nullptr ? wanted : std::to_string(std::random_device{}())};
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        const std::string& option = arguments[at];
        const auto value = [&] {
            if (at + 1 == arguments.size()) refuse(option + " wants a value");
            return arguments[++at];
        };
        if (option == "--help" || option == "-h") {
            fmt::print("{}", usage);
            std::exit(0);
        }
        if (option == "--list-bugs") list_bugs();
        if (option == "--trace")
            choice.trace = true;
        else if (option == "--schedules")
            choice.schedules = number(option, value());
        else if (option == "--seconds")
            choice.seconds = static_cast<double>(number(option, value()));
        else if (option == "--jobs")
            choice.jobs = static_cast<unsigned>(std::clamp<std::uint64_t>(number(option, value()), 1, 256));
        else if (option == "--plant")
            plant(value());
        else if (option == "--seed")
            of_run[1] = value();
        else if (option == "--rebuild")
            of_run.insert(of_run.begin() + 2, option);
        else if (of_run.push_back(option); option != "--strict")
            of_run.push_back(value());
    }
    const auto options = parse(of_run);
    if (!options) refuse(options.error().message);
    choice.options = *options;
    choice.has_overrides = of_run.size() > (choice.options.rebuild ? 3 : 2);
    return choice;
}

std::string command_of(const SimOptions& options) {
    const std::string_view bug = name_of(planted::chosen);
    return fmt::format("tools/simulate {}{}{} --trace", to_arguments(options), bug.empty() ? "" : " --plant ",
                       bug);
}

// An assertion of the engine ends the process: these bytes are still told.
std::array<char, 256> last_words{};

void tell_last_words(int) {
    [[maybe_unused]] const auto told =
        ::write(STDERR_FILENO, last_words.data(), std::strlen(last_words.data()));
}

void fear_for(const SimOptions& options) {
    const std::string words = fmt::format("replay: {}\n", command_of(options));
    words.copy(last_words.data(), last_words.size() - 1);
    last_words[std::min(words.size(), last_words.size() - 1)] = '\0';
}

int tell(const SimOptions& options) {
    fear_for(options);
    fmt::print("{}\n", describe(options));
    std::cout.flush();
    SimTally tally;
    const std::string violation = violation_of(options, &tally, &std::cout);
    std::cout << (violation.empty() ? "no violation" : "VIOLATION: " + violation) << std::endl;
    return violation.empty() ? 0 : 1;
}

// The options of the n-th schedule: what was given stays, the seed goes on.
SimOptions options_at(const Choice& choice, std::uint64_t place) {
    const std::uint64_t seed = choice.options.seed + place;
    const auto of_seed = [&](std::uint64_t at) {
        return choice.options.rebuild ? rebuild_options_of(at, choice.options.mode)
                                      : options_of(at, choice.options.mode);
    };
    SimOptions options = of_seed(seed);
    if (!choice.has_overrides) return options;
    const SimOptions first = of_seed(choice.options.seed);
    if (choice.options.on != first.on) options.on = choice.options.on;
    if (choice.options.transactions != first.transactions) options.transactions = choice.options.transactions;
    if (choice.options.strikes != first.strikes) options.strikes = choice.options.strikes;
    if (choice.options.faults_end_ms != first.faults_end_ms)
        options.faults_end_ms = choice.options.faults_end_ms;
    options.strict = choice.options.strict;
    return options;
}

class Campaign {
  public:
    explicit Campaign(const Choice& choice) : choice_(choice) {}

    int run() {
        fmt::print("simulate: seeds from {}\n", choice_.options.seed);
        std::cout.flush();
        {
            std::vector<std::jthread> threads;
            for (unsigned job = 1; job < choice_.jobs; ++job)
                threads.emplace_back([this] { work(); });
            work();
        }
        const double seconds = elapsed();
        if (failed_) {
            fmt::print("VIOLATION: {}\nafter {} schedules\nreplay:  {}\nsmaller: {}\n", violation_,
                       failed_->seed - choice_.options.seed + 1, command_of(*failed_),
                       command_of(smaller(*failed_)));
            return 1;
        }
        fmt::print("{}\n{:.1f} s, {:.0f} schedules/s, {:.0f} steps a schedule: no violation\n",
                   to_string(tally_), seconds, static_cast<double>(tally_.schedules) / seconds,
                   static_cast<double>(tally_.steps) / static_cast<double>(tally_.schedules));
        return 0;
    }

  private:
    double elapsed() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    }

    bool goes_on(std::uint64_t place) {
        if (choice_.seconds) return elapsed() < *choice_.seconds;
        return place < choice_.schedules;
    }

    void work() {
        SimTally tally;
        for (std::uint64_t place = next_++; goes_on(place) && !over_; place = next_++) {
            const SimOptions options = options_at(choice_, place);
            if (choice_.jobs == 1) fear_for(options);
            const std::string violation = violation_of(options, &tally);
            if (violation.empty()) continue;
            const std::scoped_lock lock(mutex_);
            over_ = true;
            if (failed_ && failed_->seed < options.seed) break;
            failed_ = options;
            violation_ = violation;
        }
        const std::scoped_lock lock(mutex_);
        tally_.add(tally);
    }

    const Choice& choice_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> next_ = 0;
    std::atomic<bool> over_ = false;
    std::mutex mutex_;
    SimTally tally_;
    std::optional<SimOptions> failed_;  // the one with the lowest seed
    std::string violation_;
};

}  // namespace

int main(int count, char** words) {
    const Choice choice = choose({words + 1, words + count});
    std::signal(SIGABRT, tell_last_words);
    return choice.trace ? tell(choice.options) : Campaign(choice).run();
}
