// Which known key was meant.
#include <algorithm>

#include "base/edit_distance.h"
#include "config/values.h"

namespace pawl::config {

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 2);
    for (const std::string& candidate : candidates) {
        // Every key is short: a word far longer than all of them is none of them.
        if (word.size() > 2 * candidate.size() + 2) continue;
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance || (distance == best_distance && best.empty())) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace pawl::config
