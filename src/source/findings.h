// What is wrong with what a pipeline is to read from, gathered so that all of it is said in one go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "source/table.h"

namespace pawl::source {

// One thing that is wrong. An error keeps the pipeline from starting, a warning does not.
struct Finding {
    enum class Weight : std::uint8_t { warning = 1, error = 2 };
    Weight weight = Weight::error;
    Error error;
};

class Findings {
  public:
    void refuse(Error error) { all_.push_back({Finding::Weight::error, std::move(error)}); }
    void refuse(std::string message, std::string advice) {
        refuse({ErrorKind::invalid, std::move(message), std::move(advice)});
    }
    void warn(Error error) { all_.push_back({Finding::Weight::warning, std::move(error)}); }
    void warn(std::string message, std::string advice) {
        warn({ErrorKind::invalid, std::move(message), std::move(advice)});
    }
    const std::vector<Finding>& all() const { return all_; }
    std::vector<Finding> take() && { return std::move(all_); }

  private:
    std::vector<Finding> all_;
};

// The errors as one, whose advice names the others; nothing when there are only warnings.
Result<void> as_one_error(const std::vector<Finding>& findings);

// Those that keep nothing from starting.
std::vector<Error> warnings_of(const std::vector<Finding>& findings);

// Whether it says nothing about the pipeline, but that nobody could look (a lost connection).
bool keeps_from_looking(const Error& error);

// The table's column; null, and a refusal that names near ones, when it has none of that name. `setting` is
// the key in pawl.toml.
const Column* column_named(const Table& table, std::string_view setting, std::string_view name,
                           Findings& findings);

// Refuses a table that is not InnoDB's: what is rolled back must be gone.
void check_table_type(const Table& table, std::string_view setting, Findings& findings);

// What [pipeline.document] wants of the table's columns.
void check_document(const Table& table, const config::Document& document, Findings& findings);

}  // namespace pawl::source
