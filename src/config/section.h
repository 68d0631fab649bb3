// One table of pawl.toml, read key by key. Each call looks at one key: when it is there and right, `into` is
// set; when it is wrong, the problem is noted and `into` stays as it was; when it is absent, nothing happens.
// Every key that was asked for is a known one; `finish` reports the others.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "config/problems.h"
#include "config/toml_reader.h"

namespace pawl::config {

// What a string must be, and how an error calls it.
struct TextRule {
    bool (*holds)(std::string_view);
    std::string_view expected;
};

struct Range {
    std::int64_t min;
    std::int64_t max;
};

// Strings that any text may be, and those that must not be empty.
extern const TextRule any_text;
extern const TextRule not_empty;

class Section {
  public:
    // `table` may be null (the section is absent) or not a table (that is noted). `path` is empty for the
    // root. Both must outlive the section.
    Section(const Node* table, std::string path, int line, Problems& problems);

    bool text(std::string_view key, std::string& into, const TextRule& rule = not_empty);
    // The same; absent is a problem.
    void required(std::string_view key, std::string& into, const TextRule& rule);
    void choice(std::string_view key, std::string& into, const std::vector<std::string>& choices);
    void flag(std::string_view key, bool& into);
    void duration(std::string_view key, TimeMs& into, Range range);
    // "4MiB", or a plain number of bytes.
    void size(std::string_view key, std::uint64_t& into, Range range);
    // A path; a relative one starts at the config's folder.
    void path(std::string_view key, std::filesystem::path& into);
    // The same for a file that must be readable now.
    void readable_file(std::string_view key, std::string& into);
    // `key` = "${NAME}", or `key`_file = "path of a file of one line".
    void secret(std::string_view key, Secret& into);

    template <class T>
    void integer(std::string_view key, T& into, Range range) {
        if (const auto value = integer_value(key, range)) into = static_cast<T>(*value);
    }

    // The node of a key that needs its own reading; null when absent. It counts as known.
    const Node* node(std::string_view key);
    Section section(std::string_view key);
    // Notes that a key is not there. Nothing when the section is not a table: that has been said.
    void missing(std::string_view key, std::string_view expected);
    // Reports the keys that nobody asked for.
    void finish();

    Place place(std::string_view key) const;
    Problems& problems() const { return problems_; }

  private:
    std::optional<std::int64_t> integer_value(std::string_view key, Range range);
    std::filesystem::path beside_config(const std::string& path) const;

    const Node* table_;
    bool wrong_kind_ = false;
    std::string path_;
    int line_;
    Problems& problems_;
    std::vector<std::string> known_;
};

// The string of a node with ${NAME} replaced; empty, and the problem noted, when it is not a string or a
// variable is not set.
std::optional<std::string> text_of(const Node& node, const Place& place, std::string_view expected,
                                   Problems& problems);

}  // namespace pawl::config
