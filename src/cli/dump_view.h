// What `pawl dump` shows of a journal: a choice of it, as text, as JSON, or as what changed since the last
// look.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/reader.h"

namespace pawl::cli {

// Empty members choose everything.
struct DumpChoice {
    std::string pipeline;
    std::optional<journal::BatchId> batch;
    std::optional<journal::BatchState> state;

    // From the words of the command line: "17" or "lex/17", "intent" or "INTENT". Error, kind invalid.
    static Result<DumpChoice> parse(std::string_view pipeline, std::string_view batch,
                                    std::string_view state);
};

// Leaves what is chosen. Error, kind invalid: the pipeline is unknown.
Result<void> apply(const DumpChoice& choice, journal::Contents& contents);

std::string dump_text(const journal::Contents& contents, std::string_view folder);
// docs/cli-json.md, "dump"
std::string dump_json(const journal::Contents& contents);

// One line for each batch whose state is new, and for each pipeline whose condition is, oldest pipeline
// first.
std::vector<std::string> changes_text(const journal::Contents& before, const journal::Contents& now);
// The same, each as one JSON object: docs/cli-json.md, "dump --follow".
std::vector<std::string> changes_json(const journal::Contents& before, const journal::Contents& now);

}  // namespace pawl::cli
