// All crash points of this binary: those of the engine's effects and those within the adapters.
#pragma once

#include <string>
#include <vector>

namespace pawl::ops {

// Empty in a build without them (base/failpoint.h).
std::vector<std::string> crash_points();

}  // namespace pawl::ops
