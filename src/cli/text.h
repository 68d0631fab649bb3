// How things look for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "journal/interval_set.h"
#include "journal/record.h"

namespace pawl::cli {

// Columns as wide as their widest cell, two spaces between them; numbers (cells of digits only) to the right.
// The first row is the head.
class TextTable {
  public:
    explicit TextTable(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    // Every line begins with `indent` and ends with a line break.
    std::string to_text(std::string_view indent) const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

// "1-500, 503, 600-700 and 12 more"; at most `shown_max` intervals.
std::string to_text(const journal::IntervalSet& revisions, std::size_t shown_max);

// "12 ms", "3.4 s", "7 min", "2 h": between two moments; "" when the later one is 0 (not yet).
std::string span_text(TimeMs from, TimeMs to);

// "1 entity", "3 entities"
std::string counted(std::uint64_t number, std::string_view one, std::string_view many);

// Control characters as \xNN, so that no id can steer the terminal or break a line.
std::string printable(std::string_view text);

// "2026-11-24T02:15:04.123Z  R10  the index is …"
std::string to_text(const journal::Incident& incident);

}  // namespace pawl::cli
