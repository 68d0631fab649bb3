// Everything that is wrong with a config, in one format: "pawl.toml:12: mariadb.port: found "x" (a string),
// expected a number from 1 to 65535".
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pawl::config {

// Where in the file something stands. `key` is the whole path: "pipeline.source.table".
struct Place {
    int line = 0;  // 0: the whole file
    std::string key;
};

// The beginning of a text, cut between two characters; "…" says that it was cut.
std::string shortened(std::string_view text, std::size_t bytes_max);

// However long the values and keys of the file are, a problem stays readable: they are cut (limits.h).
class Problems {
  public:
    explicit Problems(std::filesystem::path file) : file_(std::move(file)) {}

    // "found …, expected …"
    void found(const Place& place, std::string_view found, std::string_view expected,
               const std::string& advice = {});
    // "is missing, expected …"; the place's line is the section's.
    void missing(const Place& place, std::string_view expected);
    void add(const Place& place, std::string_view what, const std::string& advice = {});
    void add(const Place& place, const Error& error) { add(place, error.message, error.advice); }
    void warn(const Place& place, std::string_view what);

    bool none() const { return errors_.empty(); }
    // In the order of the file.
    std::vector<Error> errors() const;
    std::vector<std::string> warnings() const;
    const std::filesystem::path& file() const { return file_; }

  private:
    struct Entry {
        int line;
        Error error;
    };
    std::string at(const Place& place) const;

    std::filesystem::path file_;
    std::vector<Entry> errors_;
    std::vector<std::string> warnings_;
};

}  // namespace pawl::config
