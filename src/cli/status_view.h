// What `pawl status` shows.
#pragma once

#include <optional>
#include <string>

#include "config/config.h"
#include "journal/reader.h"

namespace pawl::cli {

// `config` is for the limits; null: they are not shown. Pipelines of the config that the journal does not
// know yet are shown as new.
std::string status_text(const journal::Contents& contents, const config::Config* config);
// docs/cli-json.md, "status"
std::string status_json(const journal::Contents& contents, const config::Config* config);

}  // namespace pawl::cli
