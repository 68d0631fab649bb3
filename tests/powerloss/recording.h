// Runs the workload with the preloaded library, and reads what it wrote down.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/powerloss/disk.h"

namespace pawl::powerloss {

struct WorkloadOptions {
    std::string kind = "changes";
    std::uint64_t seed = 1;
    std::uint64_t commits = 100;
    std::string fault = {};           // trace_record.h; empty: none
    std::string lmdb = {};            // a planted bug
    bool acknowledges_early = false;  // a planted bug
    bool records = true;
};

// A folder with a journal, its trace and its marks; a second run in the same folder goes on with all three.
class Workplace {
  public:
    explicit Workplace(std::string folder) : folder_(std::move(folder)) {}
    std::string journal() const { return folder_ + "/journal"; }
    std::string trace() const { return folder_ + "/trace"; }
    std::string marks() const { return folder_ + "/marks"; }
    // How it ended: its exit code, or minus the signal. What it says goes to `said`.
    int run(const WorkloadOptions& options, std::string& said) const;

  private:
    std::string folder_;
};

// Which states there were, and which one a journal must show.
class States {
  public:
    States();
    // A mark's line, in order.
    void hear(std::string_view line);

    std::uint64_t acknowledged() const { return acknowledged_; }
    std::uint64_t tried() const { return tried_; }
    // No writer may show a state older than one that another has shown; empty: fine so far.
    const std::string& complaint() const { return complaint_; }
    // The number of a state that was; nothing when there was none. Of states that are equal one from
    // `at_least` to `at_most`, where there is one: a commit need not change anything.
    std::optional<std::uint64_t> number_of(std::uint64_t digest, std::uint64_t at_least,
                                           std::uint64_t at_most) const;

  private:
    std::map<std::uint64_t, std::vector<std::uint64_t>> numbers_;  // of each digest, rising
    std::uint64_t acknowledged_ = 0;
    std::uint64_t tried_ = 0;
    std::string complaint_;
};

// All marks of a trace.
States states_of(const Trace& trace);
// All marks of a workplace whose run was not recorded.
States states_in(const std::string& marks_file);

}  // namespace pawl::powerloss
