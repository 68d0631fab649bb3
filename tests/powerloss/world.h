// The simulated world that runs on a real journal whose power is cut.
#pragma once

#include <cstdint>

#include "tests/simulation/sim_options.h"

namespace pawl::powerloss {

// One machine, whose journal fails by the cut alone: the trace of a run and its replay must ask for the same
// commits.
inline simulation::SimOptions world_options_of(std::uint64_t seed) {
    simulation::SimOptions options = simulation::options_of(seed);
    for (const auto fault :
         {simulation::Fault::journal_fails, simulation::Fault::disk_full, simulation::Fault::second_pawl})
        options.set(fault, false);
    return options;
}

}  // namespace pawl::powerloss
