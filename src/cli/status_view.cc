#include "cli/status_view.h"

#include <algorithm>

#include <fmt/core.h>

#include "cli/json.h"
#include "cli/text.h"
#include "config/values.h"

namespace pawl::cli {
namespace {

constexpr std::size_t gaps_shown_max = 3;
constexpr std::size_t incidents_shown_max = 3;

std::size_t open_batches(const journal::PipelineSnapshot& snapshot) {
    return static_cast<std::size_t>(std::count_if(
        snapshot.batches.begin(), snapshot.batches.end(),
        [](const journal::Batch& batch) { return batch.state != journal::BatchState::committed; }));
}

const config::Pipeline* settings_of(const config::Config* config, const std::string& name) {
    if (config == nullptr) return nullptr;
    for (const config::Pipeline& pipeline : config->pipelines)
        if (pipeline.name == name) return &pipeline;
    return nullptr;
}

// The names are those of [pipeline.limits].
Json limits_json(const config::Pipeline* settings) {
    if (settings == nullptr) return {};
    const engine::Limits& limits = settings->limits;
    return {{"batch_documents", limits.batch_rows_max},
            {"batch_bytes", limits.batch_bytes_max},
            {"batches_open", limits.batches_open_max},
            {"requests_in_flight", limits.requests_in_flight_max},
            {"quarantine", limits.quarantine_max},
            {"gaps", limits.gaps_max},
            {"document_bytes", settings->document_bytes_max},
            {"poll_interval_ms", limits.poll_interval_ms},
            {"checkpoint_interval_ms", limits.checkpoint_interval_ms},
            {"gap_grace_ms", limits.gap_grace_ms},
            {"retry_delay_min_ms", limits.retry_delay_min_ms},
            {"retry_delay_max_ms", limits.retry_delay_max_ms}};
}

std::string of_limit(std::size_t number, const config::Pipeline* settings, std::uint64_t limit) {
    return settings == nullptr ? fmt::format("{}", number) : fmt::format("{} of at most {}", number, limit);
}

std::string status_line(std::string_view name, std::string_view value) {
    return fmt::format("  {:<13} {}\n", name, value);
}

std::string limits_text(const config::Pipeline& settings) {
    const engine::Limits& limits = settings.limits;
    return status_line(
        "limits",
        fmt::format("{} documents or {} a batch, {} requests in flight, documents of {}, poll every {}, "
                    "gap grace {}, retry after {} to {}",
                    limits.batch_rows_max, config::to_size(limits.batch_bytes_max),
                    limits.requests_in_flight_max, config::to_size(settings.document_bytes_max),
                    config::to_duration(limits.poll_interval_ms), config::to_duration(limits.gap_grace_ms),
                    config::to_duration(limits.retry_delay_min_ms),
                    config::to_duration(limits.retry_delay_max_ms)));
}

const ops::VerifyRecord* record_of(const VerifyRecords& verified, const std::string& pipeline) {
    const auto found = verified.find(pipeline);
    return found == verified.end() ? nullptr : &found->second;
}

std::string verified_text(const ops::VerifyRecord& record) {
    if (!record.error.empty())
        return fmt::format("{}: could not be: {}", to_iso8601(record.at), printable(record.error));
    return fmt::format("{}: {}, {} documents at revision {}", to_iso8601(record.at),
                       record.equal() ? "equal" : "DIFFERENT: " + counts_text(record), record.documents,
                       record.revision);
}

Json verified_json(const ops::VerifyRecord* record) {
    if (record == nullptr) return {};
    Json json{{"at", time_json(record->at)}};
    if (!record->error.empty()) {
        json["error"] = record->error;
        return json;
    }
    json["error"] = nullptr;
    json["equal"] = record->equal();
    json["index"] = record->index;
    json["revision"] = record->revision;
    json["entities"] = record->entities;
    json["documents"] = record->documents;
    json["quarantined"] = record->quarantined;
    json["unsettled"] = record->unsettled;
    json["counts"] = record->differences;
    json["more_differences"] = record->more_differences;
    json["took_ms"] = record->took_ms;
    return json;
}

std::string incidents_text(const journal::Pipeline& pipeline) {
    const auto& incidents = pipeline.incidents;
    std::string text;
    const std::size_t first = incidents.size() - std::min(incidents.size(), incidents_shown_max);
    for (std::size_t i = first; i < incidents.size(); ++i)
        text += status_line("incident", to_text(incidents[i]));
    return text;
}

std::string pipeline_text(const journal::PipelineSnapshot& snapshot, const config::Pipeline* settings,
                          const ops::VerifyRecord* verified) {
    const journal::Pipeline& pipeline = snapshot.pipeline;
    std::string text = fmt::format("\n{}: {}", pipeline.name, name_of(pipeline.condition));
    if (pipeline.condition_since != 0) text += " since " + to_iso8601(pipeline.condition_since);
    text += "\n";
    if (!pipeline.condition_detail.empty())
        text += status_line("because", printable(pipeline.condition_detail));
    // It has not begun: it waits for its lease, or was stopped by what it found.
    if (pipeline.target.uuid.empty()) return text + incidents_text(pipeline);
    text += status_line("from, to", fmt::format("{}.{} → {}", pipeline.source.database, pipeline.source.table,
                                                pipeline.target.index));
    text += status_line("read through", fmt::format("{} (high)", pipeline.high));
    text += status_line("safe through", fmt::format("{} (watermark)", pipeline.watermark));
    if (pipeline.fill)
        text +=
            status_line("first fill", counted(pipeline.fill->rows, "row", "rows") + " of the table so far");
    if (pipeline.checkpoint)
        text += status_line("checkpoint",
                            fmt::format("{}, told to the index at {}", pipeline.checkpoint->revision,
                                        to_iso8601(pipeline.checkpoint->written_at)));
    text += status_line("open batches", of_limit(open_batches(snapshot), settings,
                                                 settings ? settings->limits.batches_open_max : 0));
    text += status_line(
        "gaps",
        of_limit(snapshot.gaps.intervals().size(), settings, settings ? settings->limits.gaps_max : 0) +
            (snapshot.gaps.empty() ? "" : ": " + to_text(snapshot.gaps, gaps_shown_max)));
    if (pipeline.gaps_unproven > 0)
        text += status_line(
            "unproven",
            fmt::format("{} left the gaps after gap_grace, not proven dead: rows that came later are "
                        "not in the index",
                        counted(pipeline.gaps_unproven, "revision", "revisions")));
    text += status_line("quarantine", of_limit(snapshot.quarantine.size(), settings,
                                               settings ? settings->limits.quarantine_max : 0));
    if (verified != nullptr) text += status_line("verified", verified_text(*verified));
    if (settings != nullptr) text += limits_text(*settings);
    return text + incidents_text(pipeline);
}

}  // namespace

std::string status_text(const journal::Contents& contents, const config::Config* config,
                        const VerifyRecords& verified) {
    std::string text = contents.writer_pid
                           ? fmt::format("pawl is running with pid {}\n", *contents.writer_pid)
                           : "pawl is not running\n";
    for (const auto& snapshot : contents.pipelines)
        text += pipeline_text(snapshot, settings_of(config, snapshot.pipeline.name),
                              record_of(verified, snapshot.pipeline.name));
    if (config != nullptr)
        for (const config::Pipeline& pipeline : config->pipelines)
            if (contents.find(pipeline.name) == nullptr)
                text += fmt::format("\n{}: has not begun yet\n", pipeline.name);
    if (!contents.damages.empty())
        text += fmt::format("\nthe journal is DAMAGED in {}: pawl dump shows where\n",
                            counted(contents.damages.size(), "place", "places"));
    return text;
}

std::string status_json(const journal::Contents& contents, const config::Config* config,
                        const VerifyRecords& verified) {
    Json json;
    json["running"] = contents.writer_pid.has_value();
    json["pid"] = contents.writer_pid ? Json(*contents.writer_pid) : Json();
    json["pipelines"] = Json::array();
    for (const auto& snapshot : contents.pipelines) {
        const journal::Pipeline& pipeline = snapshot.pipeline;
        const Json checkpoint = pipeline.checkpoint
                                    ? Json{{"revision", pipeline.checkpoint->revision},
                                           {"written_at", time_json(pipeline.checkpoint->written_at)}}
                                    : Json();
        json["pipelines"].push_back({{"name", pipeline.name},
                                     {"high", pipeline.high},
                                     {"watermark", pipeline.watermark},
                                     {"fill", fill_json(pipeline)},
                                     {"checkpoint", checkpoint},
                                     {"last_verification", verified_json(record_of(verified, pipeline.name))},
                                     {"incidents", incidents_json(pipeline)},
                                     {"open_batches", open_batches(snapshot)},
                                     {"quarantined", snapshot.quarantine.size()},
                                     {"gaps", intervals_json(snapshot.gaps)},
                                     {"gaps_unproven", pipeline.gaps_unproven},
                                     {"condition", name_of(pipeline.condition)},
                                     {"condition_detail", pipeline.condition_detail},
                                     {"condition_since", time_json(pipeline.condition_since)},
                                     {"limits", limits_json(settings_of(config, pipeline.name))}});
    }
    json["damaged"] = !contents.damages.empty();
    return to_line(json);
}

}  // namespace pawl::cli
