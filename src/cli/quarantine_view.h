// What `pawl quarantine` shows, and which entities its words mean.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "journal/reader.h"

namespace pawl::cli {

std::string quarantine_text(const journal::Contents& contents);
// docs/cli-json.md, "quarantine list"
std::string quarantine_json(const journal::Contents& contents);

// Entities of one pipeline.
struct Chosen {
    std::string pipeline;
    journal::SourceMode mode = journal::SourceMode::revision;
    std::vector<std::string> entities = {};
};

// Which entries of the quarantine `entities` are; with `all`, every one. Pipelines without any are left out.
// Errors, kind invalid: an entity is not in quarantine; neither entities nor all, or both.
Result<std::vector<Chosen>> choose(const journal::Contents& contents,
                                   const std::vector<std::string>& entities, bool all);

}  // namespace pawl::cli
