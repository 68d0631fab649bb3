#include "cli/status_view.h"

#include <algorithm>

#include <fmt/core.h>

#include "cli/json.h"
#include "cli/text.h"
#include "config/values.h"

namespace pawl::cli {
namespace {

constexpr std::size_t intervals_shown_max = 3;

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
            {"gap_grace_ms", limits.gap_grace_ms},
            {"retry_delay_min_ms", limits.retry_delay_min_ms},
            {"retry_delay_max_ms", limits.retry_delay_max_ms}};
}

std::string of_limit(std::size_t number, const config::Pipeline* settings, std::uint64_t limit) {
    return settings == nullptr ? fmt::format("{}", number) : fmt::format("{} of at most {}", number, limit);
}

std::string line(std::string_view name, std::string_view value) {
    return fmt::format("  {:<13} {}\n", name, value);
}

std::string limits_text(const config::Pipeline& settings) {
    const engine::Limits& limits = settings.limits;
    return line(
        "limits",
        fmt::format("{} documents or {} a batch, {} requests in flight, documents of {}, poll every {}, "
                    "gap grace {}, retry after {} to {}",
                    limits.batch_rows_max, config::to_size(limits.batch_bytes_max),
                    limits.requests_in_flight_max, config::to_size(settings.document_bytes_max),
                    config::to_duration(limits.poll_interval_ms), config::to_duration(limits.gap_grace_ms),
                    config::to_duration(limits.retry_delay_min_ms),
                    config::to_duration(limits.retry_delay_max_ms)));
}

std::string pipeline_text(const journal::PipelineSnapshot& snapshot, const config::Pipeline* settings) {
    const journal::Pipeline& pipeline = snapshot.pipeline;
    std::string text = fmt::format("\n{}: {}", pipeline.name, name_of(pipeline.condition));
    if (pipeline.condition_since != 0) text += " since " + to_iso8601(pipeline.condition_since);
    text += "\n";
    if (!pipeline.condition_detail.empty()) text += line("because", printable(pipeline.condition_detail));
    text += line("from, to", fmt::format("{}.{} → {}", pipeline.source.database, pipeline.source.table,
                                         pipeline.target.index));
    text += line("read through", fmt::format("{} (high)", pipeline.high));
    text += line("safe through", fmt::format("{} (watermark)", pipeline.watermark));
    text += line("open batches", of_limit(open_batches(snapshot), settings,
                                          settings ? settings->limits.batches_open_max : 0));
    text +=
        line("gaps",
             of_limit(snapshot.gaps.intervals().size(), settings, settings ? settings->limits.gaps_max : 0) +
                 (snapshot.gaps.empty() ? "" : ": " + to_text(snapshot.gaps, intervals_shown_max)));
    if (pipeline.gaps_unproven > 0)
        text +=
            line("unproven",
                 fmt::format("{} left the gaps after gap_grace, not proven dead: rows that came later are "
                             "not in the index",
                             counted(pipeline.gaps_unproven, "revision", "revisions")));
    text += line("quarantine", of_limit(snapshot.quarantine.size(), settings,
                                        settings ? settings->limits.quarantine_max : 0));
    if (settings != nullptr) text += limits_text(*settings);
    return text;
}

bool is_in(const journal::Contents& contents, const std::string& name) {
    return std::any_of(contents.pipelines.begin(), contents.pipelines.end(),
                       [&](const auto& snapshot) { return snapshot.pipeline.name == name; });
}

}  // namespace

std::string status_text(const journal::Contents& contents, const config::Config* config) {
    std::string text = contents.writer_pid
                           ? fmt::format("pawl is running with pid {}\n", *contents.writer_pid)
                           : "pawl is not running\n";
    for (const auto& snapshot : contents.pipelines)
        text += pipeline_text(snapshot, settings_of(config, snapshot.pipeline.name));
    if (config != nullptr)
        for (const config::Pipeline& pipeline : config->pipelines)
            if (!is_in(contents, pipeline.name))
                text += fmt::format("\n{}: has not begun yet\n", pipeline.name);
    if (!contents.damages.empty())
        text += fmt::format("\nthe journal is DAMAGED in {}: pawl dump shows where\n",
                            counted(contents.damages.size(), "place", "places"));
    return text;
}

std::string status_json(const journal::Contents& contents, const config::Config* config) {
    Json json;
    json["running"] = contents.writer_pid.has_value();
    json["pid"] = contents.writer_pid ? Json(*contents.writer_pid) : Json();
    json["pipelines"] = Json::array();
    for (const auto& snapshot : contents.pipelines) {
        const journal::Pipeline& pipeline = snapshot.pipeline;
        json["pipelines"].push_back({{"name", pipeline.name},
                                     {"high", pipeline.high},
                                     {"watermark", pipeline.watermark},
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
