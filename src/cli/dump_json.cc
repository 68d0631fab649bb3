#include <algorithm>

#include <fmt/core.h>

#include "cli/dump_view.h"
#include "cli/json.h"

namespace pawl::cli {
namespace {

Json batch_json(const journal::Batch& batch) {
    return {{"id", fmt::format("{}/{}", batch.pipeline, batch.id)},
            {"state", name_of(batch.state)},
            {"revisions", intervals_json(batch.revisions)},
            {"rows", batch.content.rows},
            {"indexed", batch.content.indexed},
            {"removed", batch.content.removed},
            {"invalid", batch.content.invalid},
            {"done", batch.outcome.done},
            {"superseded", batch.outcome.superseded},
            {"quarantined", batch.outcome.quarantined},
            {"digest", fmt::format("{:016x}", batch.content.digest)},
            {"index_uuid", batch.index_uuid},
            {"intent_at", time_json(batch.intent_at)},
            {"applied_at", time_json(batch.applied_at)},
            {"committed_at", time_json(batch.committed_at)}};
}

Json pipeline_json(const journal::PipelineSnapshot& snapshot) {
    const journal::Pipeline& pipeline = snapshot.pipeline;
    Json checkpoint;
    if (pipeline.checkpoint)
        checkpoint = {{"revision", pipeline.checkpoint->revision},
                      {"written_at", time_json(pipeline.checkpoint->written_at)}};
    Json anchors = Json::array();
    for (const journal::Anchor& anchor : pipeline.anchors)
        anchors.push_back({{"revision", anchor.revision}, {"digest", fmt::format("{:016x}", anchor.digest)}});
    Json batches = Json::array();
    for (const journal::Batch& batch : snapshot.batches)
        batches.push_back(batch_json(batch));
    return {{"name", pipeline.name},
            {"source",
             {{"mode", name_of(pipeline.source.mode)},
              {"database", pipeline.source.database},
              {"table", pipeline.source.table}}},
            {"target",
             {{"alias", pipeline.target.alias},
              {"index", pipeline.target.index},
              {"uuid", pipeline.target.uuid}}},
            {"high", pipeline.high},
            {"watermark", pipeline.watermark},
            {"fill", fill_json(pipeline)},
            {"gaps", intervals_json(snapshot.gaps)},
            {"gaps_unproven", pipeline.gaps_unproven},
            {"checkpoint", std::move(checkpoint)},
            {"anchors", std::move(anchors)},
            {"shape", fmt::format("{:016x}", pipeline.shape)},
            {"incidents", incidents_json(pipeline)},
            {"condition", name_of(pipeline.condition)},
            {"condition_detail", pipeline.condition_detail},
            {"condition_since", time_json(pipeline.condition_since)},
            {"quarantined", snapshot.quarantine.size()},
            {"batches", std::move(batches)}};
}

bool is_known(const journal::PipelineSnapshot* snapshot, const journal::Batch& batch) {
    return snapshot != nullptr &&
           std::any_of(snapshot->batches.begin(), snapshot->batches.end(), [&](const journal::Batch& each) {
               return each.id == batch.id && each.state == batch.state;
           });
}

}  // namespace

std::string dump_json(const journal::Contents& contents) {
    Json json;
    json["format"] = contents.format;
    json["created_at"] = time_json(contents.created_at);
    json["created_by"] = contents.created_by;
    json["writer_pid"] = contents.writer_pid ? Json(*contents.writer_pid) : Json();
    json["pipelines"] = Json::array();
    for (const auto& snapshot : contents.pipelines)
        json["pipelines"].push_back(pipeline_json(snapshot));
    json["damages"] = Json::array();
    for (const journal::Damage& damage : contents.damages)
        json["damages"].push_back({{"where", damage.where}, {"what", damage.what}});
    return to_line(json);
}

std::vector<std::string> changes_json(const journal::Contents& before, const journal::Contents& now) {
    std::vector<std::string> lines;
    for (const auto& snapshot : now.pipelines) {
        const auto* const known = before.find(snapshot.pipeline.name);
        const journal::Pipeline& pipeline = snapshot.pipeline;
        if (known == nullptr || known->pipeline.condition != pipeline.condition)
            lines.push_back(to_line(Json{{"pipeline", pipeline.name},
                                         {"condition", name_of(pipeline.condition)},
                                         {"condition_detail", pipeline.condition_detail},
                                         {"condition_since", time_json(pipeline.condition_since)}}));
        for (const journal::Batch& batch : snapshot.batches)
            if (!is_known(known, batch))
                lines.push_back(to_line(Json{{"pipeline", pipeline.name}, {"batch", batch_json(batch)}}));
    }
    for (std::string& line : lines)
        line.pop_back();
    return lines;
}

}  // namespace pawl::cli
