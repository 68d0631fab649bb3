#include <algorithm>

#include <fmt/core.h>

#include "cli/dump_view.h"
#include "cli/text.h"

namespace pawl::cli {
namespace {

constexpr std::size_t intervals_shown_max = 3;

std::string id_of(const journal::Batch& batch) {
    return fmt::format("{}/{}", batch.pipeline, batch.id);
}

std::string gaps_text(const journal::IntervalSet& gaps) {
    if (gaps.empty()) return "none";
    return fmt::format("{}: {}", counted(gaps.count(), "revision", "revisions"),
                       to_text(gaps, intervals_shown_max));
}

std::string line(std::string_view name, std::string_view value) {
    return fmt::format("  {:<11} {}\n", name, value);
}

std::string dumped_incidents_text(const journal::Pipeline& pipeline) {
    std::string text;
    for (const journal::Incident& incident : pipeline.incidents)
        text += line("incident", to_text(incident));
    return text;
}

std::string head_text(const journal::PipelineSnapshot& snapshot) {
    const journal::Pipeline& pipeline = snapshot.pipeline;
    std::string text = fmt::format("pipeline {}: {}", pipeline.name, name_of(pipeline.condition));
    if (pipeline.condition_since != 0) text += " since " + to_iso8601(pipeline.condition_since);
    text += "\n";
    if (!pipeline.condition_detail.empty()) text += line("because", printable(pipeline.condition_detail));
    // It has not begun: it waits for its lease, or was stopped by what it found.
    if (pipeline.target.uuid.empty()) return text + dumped_incidents_text(pipeline);
    text += line("source", fmt::format("{}.{}, {} mode", pipeline.source.database, pipeline.source.table,
                                       name_of(pipeline.source.mode)));
    text += line("target", fmt::format("{} = {}, uuid {}", pipeline.target.alias, pipeline.target.index,
                                       pipeline.target.uuid));
    text += line("high", fmt::format("{}", pipeline.high));
    text += line("watermark", fmt::format("{}", pipeline.watermark));
    if (pipeline.fill)
        text += line("first fill", counted(pipeline.fill->rows, "row", "rows") + " of the table so far");
    text += line("gaps", gaps_text(snapshot.gaps));
    if (pipeline.gaps_unproven > 0)
        text += line("unproven", fmt::format("{} left the gaps after gap_grace, not proven dead",
                                             counted(pipeline.gaps_unproven, "revision", "revisions")));
    if (pipeline.checkpoint)
        text += line("checkpoint", fmt::format("{} at {}", pipeline.checkpoint->revision,
                                               to_iso8601(pipeline.checkpoint->written_at)));
    if (!pipeline.anchors.empty())
        text += line("anchor",
                     fmt::format("{}, digest {:016x}, of shape {:016x}", pipeline.anchors.back().revision,
                                 pipeline.anchors.back().digest, pipeline.shape));
    text += dumped_incidents_text(pipeline);
    text += line("quarantine", snapshot.quarantine.empty()
                                   ? "none"
                                   : fmt::format("{} (pawl quarantine list)",
                                                 counted(snapshot.quarantine.size(), "entity", "entities")));
    return text;
}

std::string batches_text(const std::vector<journal::Batch>& batches) {
    if (batches.empty()) return "  no batches\n";
    TextTable table({"batch", "state", "rows", "index", "delete", "invalid", "done", "superseded",
                     "quarantined", "intent at", "applied", "committed", "revisions"});
    for (const journal::Batch& batch : batches)
        table.add({id_of(batch), std::string(name_of(batch.state)), fmt::format("{}", batch.content.rows),
                   fmt::format("{}", batch.content.indexed), fmt::format("{}", batch.content.removed),
                   fmt::format("{}", batch.content.invalid), fmt::format("{}", batch.outcome.done),
                   fmt::format("{}", batch.outcome.superseded), fmt::format("{}", batch.outcome.quarantined),
                   to_iso8601(batch.intent_at), span_text(batch.intent_at, batch.applied_at),
                   span_text(batch.intent_at, batch.committed_at),
                   batch.revisions.empty() ? "first fill" : to_text(batch.revisions, intervals_shown_max)});
    return table.to_text("  ");
}

std::string damages_text(const std::vector<journal::Damage>& damages) {
    if (damages.empty()) return {};
    std::string text = fmt::format("\nDAMAGED in {}; everything that could be read is shown above\n",
                                   counted(damages.size(), "place", "places"));
    for (const journal::Damage& damage : damages)
        text += fmt::format("  {}: {}\n", printable(damage.where), printable(damage.what));
    return text;
}

const journal::Batch* find_batch(const journal::PipelineSnapshot* snapshot, journal::BatchId id) {
    if (snapshot == nullptr) return nullptr;
    const auto found = std::find_if(snapshot->batches.begin(), snapshot->batches.end(),
                                    [&](const journal::Batch& batch) { return batch.id == id; });
    return found == snapshot->batches.end() ? nullptr : &*found;
}

TimeMs moment_of(const journal::Batch& batch) {
    return std::max({batch.intent_at, batch.applied_at, batch.committed_at});
}

}  // namespace

std::string dump_text(const journal::Contents& contents, std::string_view folder) {
    std::string text = fmt::format("journal {}, format {}, ", folder, contents.format);
    text += contents.writer_pid ? fmt::format("open by pawl with pid {}\n", *contents.writer_pid)
                                : "not open by any pawl\n";
    if (contents.pipelines.empty()) text += "no pipelines\n";
    for (const auto& snapshot : contents.pipelines)
        text += "\n" + head_text(snapshot) + "\n" + batches_text(snapshot.batches);
    return text + damages_text(contents.damages);
}

std::vector<std::string> changes_text(const journal::Contents& before, const journal::Contents& now) {
    std::vector<std::string> lines;
    for (const auto& snapshot : now.pipelines) {
        const auto* const known = before.find(snapshot.pipeline.name);
        const journal::Pipeline& pipeline = snapshot.pipeline;
        if (known == nullptr || known->pipeline.condition != pipeline.condition)
            lines.push_back(fmt::format("{}  {:<12}  {}  {}", to_iso8601(pipeline.condition_since),
                                        pipeline.name, name_of(pipeline.condition),
                                        printable(pipeline.condition_detail)));
        for (const journal::Batch& batch : snapshot.batches) {
            const auto* const older = find_batch(known, batch.id);
            if (older != nullptr && older->state == batch.state) continue;
            lines.push_back(fmt::format(
                "{}  {:<12}  {:<9}  {}  {}", to_iso8601(moment_of(batch)), id_of(batch), name_of(batch.state),
                counted(batch.content.rows, "row", "rows"), to_text(batch.revisions, intervals_shown_max)));
        }
    }
    return lines;
}

}  // namespace pawl::cli
