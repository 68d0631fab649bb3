// What a fill has sent to an index that was empty before: enough to be counted there.
#pragma once

#include <cstdint>
#include <span>

#include "engine/page.h"

namespace pawl::engine {

// Of the documents that live in the history at the fill's last revision.
struct Filled {
    std::uint64_t documents = 0;
    std::uint64_t version_sum = 0;  // of their revisions; wraps around

    void add(std::span<const Row> rows) {
        for (const Row& row : rows) {
            if (row.action != Action::index) continue;
            ++documents;
            version_sum += row.revision;
        }
    }
    bool operator==(const Filled&) const = default;
};

}  // namespace pawl::engine
