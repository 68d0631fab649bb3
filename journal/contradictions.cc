#include "journal/contradictions.h"

#include <limits>

#include <fmt/core.h>

#include "journal/assembler.h"
#include "journal/codec.h"
#include "journal/format.h"

namespace pawl::journal {
namespace {

using format::Table;

std::uint64_t actions(const BatchContent& content) {
    return std::uint64_t{content.indexed} + content.removed + content.invalid;
}

std::uint64_t actions(const BatchOutcome& outcome) {
    return std::uint64_t{outcome.done} + outcome.superseded + outcome.quarantined;
}

void check_gaps(const PipelineSnapshot& snapshot, std::vector<Damage>& found) {
    if (snapshot.gaps.empty()) return;
    const Pipeline& pipeline = snapshot.pipeline;
    const std::string where = place_of(name_of(Table::gaps), pipeline_key(pipeline.name));
    if (snapshot.gaps.lowest() <= pipeline.watermark)
        found.push_back({where, fmt::format("a gap at {}, but the watermark is {}", snapshot.gaps.lowest(),
                                            pipeline.watermark)});
    if (snapshot.gaps.highest() > pipeline.high)
        found.push_back(
            {where, fmt::format("a gap up to {}, but high is {}", snapshot.gaps.highest(), pipeline.high)});
}

void check_anchors(const Pipeline& pipeline, std::vector<Damage>& found) {
    const auto add = [&](std::string what) {
        found.push_back({place_of(name_of(Table::pipelines), pipeline_key(pipeline.name)), std::move(what)});
    };
    for (std::size_t i = 1; i < pipeline.anchors.size(); ++i)
        if (pipeline.anchors[i].revision <= pipeline.anchors[i - 1].revision)
            add(fmt::format("anchor {} comes after anchor {}", pipeline.anchors[i].revision,
                            pipeline.anchors[i - 1].revision));
    if (pipeline.checkpoint && pipeline.checkpoint->revision > pipeline.high)
        add(fmt::format("a checkpoint at {}, but high is {}", pipeline.checkpoint->revision, pipeline.high));
}

void check_batch(const Pipeline& pipeline, const Batch& batch, std::vector<Damage>& found) {
    const auto add = [&](std::string what) {
        found.push_back(
            {place_of(name_of(Table::batches), batch_key(batch.pipeline, batch.id)), std::move(what)});
    };
    const bool is_committed = batch.state == BatchState::committed;
    if (batch.id > pipeline.last_batch)
        add(fmt::format("batch {}, but the last one is {}", batch.id, pipeline.last_batch));
    // A pipeline that has begun again may be lower than what it had committed before.
    if (!is_committed && batch.revisions.empty() && !pipeline.fill)
        add("it has no revisions, but there is no fill that it could be of");
    if (!is_committed && !batch.revisions.empty() && batch.revisions.highest() > pipeline.high)
        add(fmt::format("revisions up to {}, but high is {}", batch.revisions.highest(), pipeline.high));
    if (actions(batch.content) > batch.content.rows)
        add(fmt::format("{} actions of {} rows", actions(batch.content), batch.content.rows));
    if (actions(batch.outcome) > batch.content.rows)
        add(fmt::format("{} actions are done, of {} rows", actions(batch.outcome), batch.content.rows));
    if (batch.state == BatchState::intent && (batch.outcome != BatchOutcome{} || batch.applied_at != 0))
        add("in INTENT, but it has an outcome");
    if (!is_committed && batch.committed_at != 0) add("not COMMITTED, but it has a time of that");
}

}  // namespace

std::vector<Damage> contradictions_in(const PipelineSnapshot& snapshot) {
    std::vector<Damage> found;
    const Pipeline& pipeline = snapshot.pipeline;
    if (pipeline.last_batch == std::numeric_limits<BatchId>::max())
        found.push_back({place_of(name_of(Table::pipelines), pipeline_key(pipeline.name)),
                         "no batch can come after its last one"});
    check_anchors(pipeline, found);
    check_gaps(snapshot, found);
    for (const Batch& batch : snapshot.batches)
        check_batch(pipeline, batch, found);
    return found;
}

}  // namespace pawl::journal
