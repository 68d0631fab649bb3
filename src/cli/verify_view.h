// How `pawl verify` shows what it has found.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ops/verification.h"

namespace pawl::cli {

// One pipeline's: either of the two.
struct Verified {
    std::string pipeline;
    ops::VerifyReport report = {};
    std::optional<Error> error = {};
};

std::string verify_text(const std::vector<Verified>& all, bool repaired);
// docs/cli-json.md, "verify"
std::string verify_json(const std::vector<Verified>& all);

// That of the first error, else 1 when anything differs that is not healed, else 0.
int exit_code_of(const std::vector<Verified>& all);

// "lex: reading the index: 120000 (40000/s)"
std::string progress_text(const std::string& pipeline, const ops::VerifyProgress& progress, TimeMs since_ms);

}  // namespace pawl::cli
