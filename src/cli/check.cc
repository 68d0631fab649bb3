#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ostream>
#include <system_error>

#include <fmt/core.h>

#include "cli/arguments.h"
#include "cli/check_view.h"
#include "cli/text.h"
#include "config/config.h"
#include "index/check.h"
#include "index/server.h"
#include "journal/reader.h"
#include "source/check.h"

namespace pawl::cli {
namespace {

using Findings = std::vector<Finding>;

void check_config(const config::Config& config, Findings& findings) {
    findings.push_back({"config", "", Verdict::ok,
                        fmt::format("{}: {}", config.file.string(),
                                    counted(config.pipelines.size(), "pipeline", "pipelines"))});
    for (const std::string& warning : config.warnings)
        findings.push_back({"config", "", Verdict::warning, warning});
}

// The folder itself, or the nearest one above it that is there.
std::filesystem::path nearest_existing(std::filesystem::path folder) {
    std::error_code ignored;
    while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path())
        folder = folder.parent_path();
    return folder;
}

void check_journal(const std::filesystem::path& folder, Findings& findings) {
    const auto existing = nearest_existing(folder);
    if (::access(existing.c_str(), W_OK | X_OK) != 0) {
        findings.push_back({"journal", "", Verdict::error,
                            fmt::format("{}: cannot write there: {}", existing.string(),
                                        std::generic_category().message(errno)),
                            "make the folder for pawl's user with mode 0700, or set journal.path"});
        return;
    }
    std::error_code ignored;
    if (existing != folder || std::filesystem::is_empty(folder, ignored)) {
        findings.push_back(
            {"journal", "", Verdict::ok, fmt::format("{}: a new journal will be made", folder.string())});
        return;
    }
    const auto contents = journal::read_journal(folder);
    if (!contents) {
        findings.push_back(to_finding("journal", "", contents.error()));
        return;
    }
    const std::string user = contents->writer_pid
                                 ? fmt::format("pawl with pid {} has it open", *contents->writer_pid)
                                 : "not in use";
    findings.push_back({"journal", "", Verdict::ok,
                        fmt::format("{}: format {}, {}, {}", folder.string(), contents->format,
                                    counted(contents->pipelines.size(), "pipeline", "pipelines"), user)});
    for (const journal::Damage& damage : contents->damages)
        findings.push_back(
            {"journal", "", Verdict::error, fmt::format("damaged: {}: {}", damage.where, damage.what),
             "pawl recover --discard-journal sets it aside and rolls forward from what the index remembers"});
}

void check_source(const config::Config& config, Findings& findings) {
    source::Interrupt interrupt;
    for (const config::Pipeline& pipeline : config.pipelines) {
        const auto found = source::check(config.mariadb, pipeline, interrupt);
        bool good = true;
        for (const source::Finding& each : found) {
            Finding finding = to_finding("mariadb", pipeline.name, each.error);
            if (each.weight == source::Finding::Weight::warning) finding.verdict = Verdict::warning;
            good = good && finding.verdict != Verdict::error;
            add_once(findings, std::move(finding));
        }
        if (good)
            findings.push_back({"mariadb", pipeline.name, Verdict::ok,
                                fmt::format("pipeline {}: table {}.{} can be read as configured",
                                            pipeline.name, config.mariadb.database, pipeline.source.table)});
    }
}

// Whether no server answers at all; the index's own check tells what it finds, but not of which kind it is.
bool is_unreachable(index::HttpClient& client) {
    index::HttpSession session(client);
    const auto server =
        index::find_server([&](index::HttpRequest request) { return session.call(std::move(request)); });
    return !server && server.error().kind == ErrorKind::unavailable;
}

void check_index(const config::Config& config, Findings& findings) {
    const auto client = index::HttpClient::make(config.elasticsearch);
    if (!client) {
        findings.push_back(to_finding("elasticsearch", "", client.error()));
        return;
    }
    const bool unreachable = is_unreachable(**client);
    for (const config::Pipeline& pipeline : config.pipelines)
        for (const engine::Notice& notice : index::check(**client, config.elasticsearch, pipeline)) {
            Finding finding{"elasticsearch", pipeline.name, Verdict::ok, notice.text, notice.advice};
            if (notice.severity == engine::Severity::warning) finding.verdict = Verdict::warning;
            if (notice.severity == engine::Severity::error) finding.verdict = Verdict::error;
            finding.unreachable = unreachable && finding.verdict == Verdict::error;
            add_once(findings, std::move(finding));
        }
}

Findings check_all(const std::string& config_file) {
    Findings findings;
    const auto config = config::load_all(config_file);
    if (!config) {
        for (const Error& error : config.error())
            findings.push_back(to_finding("config", "", error));
        return findings;
    }
    check_config(*config, findings);
    check_journal(config->journal.path, findings);
    check_source(*config, findings);
    check_index(*config, findings);
    return findings;
}

int run_check(const Words& words, Io& io) {
    bool json = false;
    std::string config_file;
    Arguments arguments(check_command);
    arguments.config_file(config_file);
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    if (const auto code = arguments.parse(words, io)) return *code;
    const Findings findings = check_all(config_file);
    io.out << (json ? check_json(findings) : check_text(findings));
    return exit_code_of(findings);
}

}  // namespace

const Command check_command{"check", "Look for everything that can be wrong before a start",
                            "pawl check --config pawl.toml", run_check};

}  // namespace pawl::cli
