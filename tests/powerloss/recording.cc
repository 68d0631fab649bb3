#include "tests/powerloss/recording.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include <fmt/core.h>

#include "tests/support/journal_model.h"
#include "tests/unit/journal/support.h"

namespace pawl::powerloss {
namespace {

[[noreturn]] void become_workload(const Workplace& place, const WorkloadOptions& options,
                                  const std::string& said) {
    ::setenv("LD_PRELOAD", PAWL_POWERLOSS_SHIM, 1);
    ::setenv(root_variable, place.journal().c_str(), 1);
    ::setenv(marks_variable, place.marks().c_str(), 1);
    if (options.records) ::setenv(trace_variable, place.trace().c_str(), 1);
    if (!options.fault.empty()) ::setenv(fault_variable, options.fault.c_str(), 1);
    if (!options.lmdb.empty()) ::setenv(lmdb_variable, options.lmdb.c_str(), 1);
    if (options.acknowledges_early) ::setenv("PAWL_ACKNOWLEDGE_EARLY", "1", 1);
    const int output = ::open(said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(output, STDERR_FILENO);
    ::execl(PAWL_POWERLOSS_WORKLOAD, PAWL_POWERLOSS_WORKLOAD, options.kind.c_str(), place.journal().c_str(),
            place.marks().c_str(), std::to_string(options.seed).c_str(),
            std::to_string(options.commits).c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
}

}  // namespace

int Workplace::run(const WorkloadOptions& options, std::string& said) const {
    const std::string output = folder_ + "/said";
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no child");
    if (child == 0) become_workload(*this, options, output);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
    }
    said = journal::test::read_bytes(output);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

States::States() {
    numbers_[journal::test::digest_of({})] = {0};
}

void States::hear(std::string_view line) {
    const std::string text(line);
    unsigned long number = 0;
    unsigned long digest = 0;
    if (std::sscanf(text.c_str(), "try %lu %lx", &number, &digest) == 2) {
        numbers_[digest].push_back(number);
        tried_ = number;
    } else if (std::sscanf(text.c_str(), "ack %lu", &number) == 1) {
        acknowledged_ = number;
    } else if (std::sscanf(text.c_str(), "shown %lx", &digest) == 1) {
        const auto shown = number_of(digest, acknowledged_, tried_);
        if (!shown)
            complaint_ = "a writer showed a state that never was";
        else if (*shown < acknowledged_)
            complaint_ =
                fmt::format("a writer showed state {} after {} was acknowledged", *shown, acknowledged_);
        else
            acknowledged_ = tried_ = *shown;  // what was shown is a promise as well
    } else {
        throw std::runtime_error("no mark: " + text);
    }
}

std::optional<std::uint64_t> States::number_of(std::uint64_t digest, std::uint64_t at_least,
                                               std::uint64_t at_most) const {
    const auto found = numbers_.find(digest);
    if (found == numbers_.end()) return std::nullopt;
    for (const std::uint64_t number : found->second)
        if (number >= at_least && number <= at_most) return number;
    return found->second.back();
}

States states_of(const Trace& trace) {
    States states;
    for (const TraceEvent& event : trace.events())
        if (event.kind == TraceKind::mark) states.hear(event.data);
    return states;
}

States states_in(const std::string& marks_file) {
    States states;
    const std::string text = journal::test::read_bytes(marks_file);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        states.hear(std::string_view(text).substr(at, end - at));
        at = end + 1;
    }
    return states;
}

}  // namespace pawl::powerloss
