// What `pawl check` has found, and how it shows it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace pawl::cli {

enum class Verdict : std::uint8_t { ok, warning, error };

struct Finding {
    std::string subject;   // "config", "journal", "mariadb", "elasticsearch"
    std::string pipeline;  // empty: it concerns none or all of them
    Verdict verdict = Verdict::ok;
    std::string what;
    std::string advice = {};
    bool unreachable = false;  // a server is: decides the exit code
};

Finding to_finding(std::string subject, std::string pipeline, const Error& error);

// Adds it unless the same was said of another pipeline: a server that is down is down once.
void add_once(std::vector<Finding>& findings, Finding finding);

std::string check_text(const std::vector<Finding>& findings);
// docs/cli-json.md, "check"
std::string check_json(const std::vector<Finding>& findings);

// 2 when the config is wrong, 3 when a server is unreachable, 1 when there is another error, else 0.
int exit_code_of(const std::vector<Finding>& findings);

}  // namespace pawl::cli
