// The config that a rebuild feeds its new index by: that of a daemon with this one pipeline, a journal of its
// own, and the rebuild's alias.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.h"
#include "config/config.h"

namespace pawl::ops {

// Whether an index is made where none is behind that alias. One that is made later than for the fill would
// not be the index that was finished and compared.
enum class MayCreate : std::uint8_t { no, yes };

// `journal`: RebuildFolder's. `rejected_max`: so many documents may go to its quarantine. Error, kind
// invalid: index/rebuild_index.h, rebuild_target.
Result<config::Config> rebuild_config(const config::Config& config, const config::Pipeline& pipeline,
                                      const std::filesystem::path& journal, std::uint32_t rejected_max,
                                      MayCreate may_create);

}  // namespace pawl::ops
