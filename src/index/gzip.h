// Compression of request bodies. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace pawl::index {

// `plain` as a gzip stream into `out`, at the fastest level: the network is what is to be saved, not much
// CPU. `out`'s former content goes, its capacity is used again. Fails only for want of memory (kind
// unavailable).
Result<void> gzip(std::string_view plain, std::string& out);

}  // namespace pawl::index
