// Where the journal is: --journal DIR, or what the config says.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/arguments.h"
#include "config/config.h"
#include "journal/reader.h"

namespace pawl::cli {

class JournalOption {
  public:
    // Adds --journal and --config.
    void add_to(Arguments& arguments);
    // Reads the config unless --journal was given.
    Result<std::filesystem::path> folder();
    // Read by folder(); empty with --journal.
    const std::optional<config::Config>& config() const { return config_; }

  private:
    std::string folder_;
    std::string config_file_;
    std::optional<config::Config> config_;
};

// Leaves the pipeline of that name; all when it is empty. Error, kind invalid: there is none, with those
// there are.
Result<void> keep_pipeline(journal::Contents& contents, const std::string& name);

}  // namespace pawl::cli
