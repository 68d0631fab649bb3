// What an index keeps of its documents.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "index/server.h"

namespace pawl::index {

// `_source` in the mapping, and settings.
struct KeptSource {
    std::vector<std::string> includes;
    std::vector<std::string> excludes;
    std::string why_not_whole;  // not empty: documents cannot be compared with what was sent, and why
};
Result<KeptSource> find_kept_source(const Call& call, const std::string& index);

}  // namespace pawl::index
