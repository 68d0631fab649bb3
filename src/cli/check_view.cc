#include "cli/check_view.h"

#include <algorithm>

#include <fmt/core.h>

#include "cli/io.h"
#include "cli/json.h"
#include "cli/text.h"

namespace pawl::cli {
namespace {

std::string_view name_of(Verdict verdict) {
    if (verdict == Verdict::ok) return "ok";
    return verdict == Verdict::warning ? "warning" : "error";
}

std::string_view mark_of(Verdict verdict) {
    if (verdict == Verdict::ok) return "✓";
    return verdict == Verdict::warning ? "!" : "✗";
}

std::size_t count_of(const std::vector<Finding>& findings, Verdict verdict) {
    return static_cast<std::size_t>(std::count_if(
        findings.begin(), findings.end(), [&](const Finding& each) { return each.verdict == verdict; }));
}

}  // namespace

Finding to_finding(std::string subject, std::string pipeline, const Error& error) {
    return {std::move(subject), std::move(pipeline), Verdict::error,
            error.message,      error.advice,        error.kind == ErrorKind::unavailable};
}

void add_once(std::vector<Finding>& findings, Finding finding) {
    const bool is_known = std::any_of(findings.begin(), findings.end(), [&](const Finding& each) {
        return each.subject == finding.subject && each.what == finding.what;
    });
    if (!is_known) findings.push_back(std::move(finding));
}

std::string check_text(const std::vector<Finding>& findings) {
    std::string text;
    std::string subject;
    for (const Finding& finding : findings) {
        if (finding.subject != subject) text += finding.subject + "\n";
        subject = finding.subject;
        text += fmt::format("  {} {}\n", mark_of(finding.verdict), printable(finding.what));
        if (!finding.advice.empty()) text += fmt::format("      Try: {}\n", printable(finding.advice));
    }
    const auto errors = count_of(findings, Verdict::error);
    const auto warnings = count_of(findings, Verdict::warning);
    text += "\n";
    if (errors > 0) text += counted(errors, "problem", "problems") + " to mend before pawl can work";
    if (errors == 0) text += "pawl can start";
    if (warnings > 0) text += ", " + counted(warnings, "warning", "warnings");
    return text + "\n";
}

std::string check_json(const std::vector<Finding>& findings) {
    Json list = Json::array();
    for (const Finding& finding : findings)
        list.push_back({{"subject", finding.subject},
                        {"pipeline", finding.pipeline.empty() ? Json() : Json(finding.pipeline)},
                        {"verdict", name_of(finding.verdict)},
                        {"what", finding.what},
                        {"advice", finding.advice}});
    return to_line(Json{{"ok", count_of(findings, Verdict::error) == 0}, {"findings", std::move(list)}});
}

int exit_code_of(const std::vector<Finding>& findings) {
    int code = exit_code::done;
    for (const Finding& finding : findings) {
        if (finding.verdict != Verdict::error) continue;
        if (finding.subject == "config") return exit_code::wrong_usage;
        if (finding.unreachable)
            code = exit_code::unreachable;
        else if (code == exit_code::done)
            code = exit_code::found_something;
    }
    return code;
}

}  // namespace pawl::cli
