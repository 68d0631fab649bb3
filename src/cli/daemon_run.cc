#include "cli/daemon_run.h"

#include <ostream>

#include <fmt/core.h>

#include "base/failpoint.h"
#include "cli/json.h"
#include "cli/text.h"
#include "ops/crash_points.h"
#include "ops/log.h"
#include "ops/verify_unasked.h"

namespace pawl::cli {
namespace {

Json error_json(const std::optional<Error>& error) {
    if (!error) return {};
    return {{"kind", name_of(error->kind)}, {"message", error->message}, {"advice", error->advice}};
}

Json discarded_json(const std::optional<journal::SetAside>& discarded) {
    if (!discarded) return {};
    return {{"file", discarded->file.string()},
            {"damage", discarded->damage.empty() ? Json() : Json(discarded->damage)}};
}

std::string discarded_text(const std::optional<journal::SetAside>& discarded) {
    if (!discarded) return {};
    return fmt::format(
        "journal: {}; set aside as {}\n  every pipeline rolls forward from what its index remembers, or else "
        "from the first revision\n",
        discarded->damage.empty() ? "discarded as asked" : "damaged: " + discarded->damage,
        discarded->file.string());
}

// What all forms say of a pipeline at its end.
Json pipeline_json(const ops::PipelineReport& pipeline) {
    return {{"name", pipeline.name},
            {"high", pipeline.high},
            {"watermark", pipeline.watermark},
            {"missing_revisions", pipeline.missing_revisions},
            {"open_batches", pipeline.open_batches},
            {"quarantined", pipeline.quarantined},
            {"error", error_json(pipeline.error)}};
}

std::string end_text(const ops::PipelineReport& pipeline) {
    std::string text = fmt::format("high {}, watermark {}", pipeline.high, pipeline.watermark);
    if (pipeline.missing_revisions > 0)
        text +=
            fmt::format(", {} not seen yet", counted(pipeline.missing_revisions, "revision", "revisions"));
    if (pipeline.open_batches > 0)
        text += fmt::format(", {} open", counted(pipeline.open_batches, "batch", "batches"));
    if (pipeline.quarantined > 0)
        text += fmt::format(", {} in quarantine", counted(pipeline.quarantined, "entity", "entities"));
    return text;
}

}  // namespace

Result<Configured> load_configured(const std::string& config_file) {
    if (auto armed = failpoint::arm(ops::crash_points()); !armed) return std::unexpected(armed.error());
    auto config = config::load(config_file);
    if (!config) return std::unexpected(std::move(config.error()));
    auto log = std::make_unique<ops::Log>(config->log);
    for (const std::string& warning : config->warnings)
        log->write(ops::Severity::warning, "", warning);
    return Configured{std::move(*config), std::move(log)};
}

Result<ops::DaemonReport> run_configured(const std::string& config_file, engine::Until until,
                                         bool discard_journal) {
    const auto configured = load_configured(config_file);
    if (!configured) return std::unexpected(configured.error());
    ops::StopSignal stop;
    auto report = ops::run_daemon(configured->config, {.until = until, .discard_journal = discard_journal},
                                  stop, *configured->log);
    // A daemon does so by itself.
    if (report && until == engine::Until::caught_up)
        ops::verify_adopted(configured->config, stop, *configured->log);
    return report;
}

int report_pipelines(const ops::DaemonReport& daemon, Io& io) {
    int code = exit_code::done;
    for (const ops::PipelineReport& pipeline : daemon.pipelines) {
        if (!pipeline.error) continue;
        const int its_code = report(io, *pipeline.error);
        if (code == exit_code::done) code = its_code;
    }
    return code;
}

std::string sync_text(const ops::DaemonReport& report) {
    std::string text = discarded_text(report.discarded_journal);
    for (const ops::PipelineReport& pipeline : report.pipelines) {
        std::string_view how = "caught up";
        if (report.stopped_by_signal) how = "stopped by a signal";
        if (pipeline.error) how = "stopped by an error";
        text += fmt::format("{}: {}: {}\n", pipeline.name, how, end_text(pipeline));
    }
    return text;
}

std::string sync_json(const ops::DaemonReport& report) {
    Json json;
    json["stopped_by_signal"] = report.stopped_by_signal;
    json["discarded_journal"] = discarded_json(report.discarded_journal);
    json["pipelines"] = Json::array();
    for (const ops::PipelineReport& pipeline : report.pipelines)
        json["pipelines"].push_back(pipeline_json(pipeline));
    return to_line(json);
}

std::string recover_text(const ops::DaemonReport& report) {
    std::string text = discarded_text(report.discarded_journal);
    for (const ops::PipelineReport& pipeline : report.pipelines) {
        text += pipeline.name + "\n";
        TextTable table({"batch", "row", "decision", "found"});
        for (const engine::RecoveryStep& step : pipeline.recovery)
            table.add({step.batch == 0 ? "-" : fmt::format("{}/{}", pipeline.name, step.batch),
                       std::string(step.row->label), std::string(name_of(step.row->decision)),
                       std::string(step.row->explanation)});
        if (!pipeline.recovery.empty()) text += table.to_text("  ");
        text += fmt::format("  {}: {}\n", pipeline.error ? "stopped by an error" : "recovered",
                            end_text(pipeline));
    }
    return text;
}

std::string recover_json(const ops::DaemonReport& report) {
    Json json;
    json["stopped_by_signal"] = report.stopped_by_signal;
    json["discarded_journal"] = discarded_json(report.discarded_journal);
    json["pipelines"] = Json::array();
    for (const ops::PipelineReport& pipeline : report.pipelines) {
        Json steps = Json::array();
        for (const engine::RecoveryStep& step : pipeline.recovery)
            steps.push_back(
                {{"batch", step.batch == 0 ? Json() : Json(fmt::format("{}/{}", pipeline.name, step.batch))},
                 {"row", step.row->label},
                 {"decision", name_of(step.row->decision)},
                 {"explanation", step.row->explanation}});
        Json of = pipeline_json(pipeline);
        of["steps"] = std::move(steps);
        json["pipelines"].push_back(std::move(of));
    }
    return to_line(json);
}

}  // namespace pawl::cli
