// What a mapping keeps of a document (`_source.includes`, `_source.excludes`), as far as a comparison needs
// it: applied to both sides alike, it need not be the index's own rules to the letter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pawl::verify {

class SourceFilter {
  public:
    SourceFilter() = default;  // all is kept
    // Paths such as "meta.*" or "*.secret"; `*` stands for any characters, dots too.
    SourceFilter(std::vector<std::string> includes, std::vector<std::string> excludes)
        : includes_(std::move(includes)), excludes_(std::move(excludes)) {}

    bool keeps_all() const { return includes_.empty() && excludes_.empty(); }
    bool excludes(std::string_view path) const { return matches_any(excludes_, path); }
    // With what lies below it. Without includes everything is.
    bool includes(std::string_view path) const { return includes_.empty() || matches_any(includes_, path); }

    const std::vector<std::string>& included() const { return includes_; }
    const std::vector<std::string>& excluded() const { return excludes_; }

  private:
    static bool matches_any(const std::vector<std::string>& patterns, std::string_view path);

    std::vector<std::string> includes_;
    std::vector<std::string> excludes_;
};

// `*` in the pattern stands for any characters, also none.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace pawl::verify
