// Crash points for the crash tests: at the n-th hit of the chosen one the process prints its name and kills
// itself with SIGKILL. Compiled in only with PAWL_FAILPOINTS; in a release build `hit` is nothing at all.
//
// Chosen by the environment: PAWL_FAILPOINT=<name>:<n>. A name is "before:<effect>" or "after:<effect>", made
// from the engine's effects by the runner, or one of `adapter_points`. An unknown name refuses to start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pawl::failpoint {

#ifdef PAWL_FAILPOINTS

// Reads PAWL_FAILPOINT once, before any thread starts. `known` are all names that this binary can hit.
Result<void> arm(const std::vector<std::string>& known);

// Any thread. Does not return at the chosen hit of the chosen point.
void hit(std::string_view name);

inline constexpr bool compiled_in = true;

#else

inline Result<void> arm(const std::vector<std::string>&) {
    return {};
}
inline void hit(std::string_view) {}
inline constexpr bool compiled_in = false;

#endif

}  // namespace pawl::failpoint
