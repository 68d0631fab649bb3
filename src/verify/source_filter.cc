#include "verify/source_filter.h"

#include <algorithm>

namespace pawl::verify {

bool SourceFilter::matches_any(const std::vector<std::string>& patterns, std::string_view path) {
    return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, path); });
}

// Goes back to the last `*` only: the shortest match of what stands before it is as good as any.
bool matches(std::string_view pattern, std::string_view text) {
    std::size_t at = 0;
    std::size_t read = 0;
    std::size_t star = pattern.npos;
    std::size_t retry = 0;
    while (read < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            retry = read;
        } else if (at < pattern.size() && pattern[at] == text[read]) {
            ++at;
            ++read;
        } else if (star != pattern.npos) {
            at = star + 1;
            read = ++retry;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == pattern.npos;
}

}  // namespace pawl::verify
