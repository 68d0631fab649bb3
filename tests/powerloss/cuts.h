// Cuts the power at many moments of a trace and judges what is left.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/powerloss/judge.h"

namespace pawl::powerloss {

struct CutPlan {
    std::uint64_t seed = 1;
    std::size_t boundaries = 0;  // states before a sync: with all or nothing of what was not synced yet
    std::size_t random = 0;      // states at any moment, with any part of it
    std::size_t rot = 0;         // states with flipped bits or without the file's end
    std::size_t lies = 0;        // states of a disk that has lost what it had promised to keep
    std::optional<std::uint64_t> world_seed;  // of a trace of that world: each state must converge in it
};

struct CutReport {
    std::map<std::string, std::map<Outcome, std::size_t>> outcomes;  // by the kind of loss
    std::map<std::string, std::size_t> lost;  // acknowledged commits were missing, by the kind of loss
    std::size_t writes = 0;                   // in the trace
    std::size_t syncs = 0;
    std::vector<std::string> findings;  // what a disk that keeps its promises must not lead to

    std::size_t states() const;
    std::size_t count(Outcome outcome) const;
    void add(const CutReport& other);
};
std::string to_string(const CutReport& report);

// `folder` is for the states; `journal` is where the journal of the trace was.
CutReport cut_power(const Trace& trace, const std::string& journal, const CutPlan& plan,
                    const std::string& folder);

}  // namespace pawl::powerloss
