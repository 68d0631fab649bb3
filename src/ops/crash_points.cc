#include "ops/crash_points.h"

#include "base/failpoint.h"
#include "engine/runner.h"

namespace pawl::ops {

std::vector<std::string> crash_points() {
    if constexpr (!failpoint::compiled_in) return {};
    std::vector<std::string> points = engine::crash_points();
    points.insert(points.end(), failpoint::adapter_points.begin(), failpoint::adapter_points.end());
    return points;
}

}  // namespace pawl::ops
