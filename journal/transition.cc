#include "journal/transition.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/planted.h"
#include "journal/limits.h"

namespace pawl::journal {
namespace {

void cut_to(std::string& text, std::size_t bytes_max) {
    if (text.size() > bytes_max) text.resize(bytes_max);
}

// The same for what people read: never in the middle of a UTF-8 character.
void cut_text_to(std::string& text, std::size_t bytes_max) {
    PAWL_ASSERT(bytes_max > 3);
    if (text.size() <= bytes_max) return;
    std::size_t end = bytes_max;
    const auto continues = [&](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    };
    for (int back = 0; back < 3 && continues(end); ++back)
        --end;
    text.resize(continues(end) ? bytes_max : end);
}

void assert_name(const std::string& text) {
    PAWL_ASSERT(!text.empty() && text.size() <= limits::pipeline_name_bytes_max);
    PAWL_ASSERT(text.find('\0') == text.npos);
}

void assert_identity(const BeginPipeline& change) {
    const std::array parts{&change.source.database, &change.source.table, &change.target.alias,
                           &change.target.index, &change.target.uuid};
    for (const std::string* part : parts)
        PAWL_ASSERT(part->size() <= limits::identity_bytes_max);
}

std::uint64_t count_actions(const BatchContent& content) {
    return std::uint64_t{content.indexed} + content.removed + content.invalid;
}

}  // namespace

Pipeline begin(const Pipeline* before, const BeginPipeline& change) {
    assert_name(change.pipeline);
    PAWL_ASSERT(before == nullptr || before->name == change.pipeline);
    PAWL_ASSERT(change.high <= revision_max);
    assert_identity(change);

    Pipeline after;
    after.name = change.pipeline;
    after.source = change.source;
    after.target = change.target;
    after.last_batch = before == nullptr || PAWL_PLANTED(batch_ids_begin_again)
                           ? 0
                           : before->last_batch;  // ids are never used twice
    PAWL_ASSERT(change.gaps.empty() || (change.gaps.lowest() >= 1 && change.gaps.highest() <= change.high));
    const Revision watermark = change.gaps.empty() ? change.high : change.gaps.lowest() - 1;
    after.high = change.high;
    after.watermark =
        before != nullptr && PAWL_PLANTED(begin_keeps_watermark) ? before->watermark : watermark;
    PAWL_ASSERT(!change.checkpoint || change.checkpoint->revision <= change.high);
    after.checkpoint = change.checkpoint;
    if (change.anchor) after.anchors.push_back(*change.anchor);
    after.shape = change.shape;
    PAWL_ASSERT(!change.fill || change.fill->after.size() <= limits::position_bytes_max);
    after.fill = change.fill;
    after.condition_since = change.at;
    if (before != nullptr) after.incidents = before->incidents;
    return after;
}

void open(Pipeline& pipeline, const OpenBatch& change) {
    const Batch& batch = change.batch;
    PAWL_ASSERT(batch.pipeline == pipeline.name);
    PAWL_ASSERT(batch.id == pipeline.last_batch + 1);
    PAWL_ASSERT(batch.state == BatchState::intent);
    PAWL_ASSERT(batch.applied_at == 0 && batch.committed_at == 0);
    PAWL_ASSERT(batch.outcome == BatchOutcome{});
    const bool is_fill = batch.revisions.empty();
    PAWL_ASSERT(is_fill ? pipeline.fill.has_value() : batch.revisions.lowest() >= 1);
    PAWL_ASSERT(is_fill || batch.revisions.highest() <= change.high);
    PAWL_ASSERT(batch.content.rows >= count_actions(batch.content));
    PAWL_ASSERT(batch.index_uuid.size() <= limits::identity_bytes_max);
    PAWL_ASSERT(change.high >= pipeline.high && change.high <= revision_max);
    PAWL_ASSERT(change.gaps.empty() || change.gaps.lowest() > pipeline.watermark);
    PAWL_ASSERT(change.gaps.empty() || change.gaps.highest() <= change.high);
    pipeline.last_batch = batch.id;
    pipeline.high = change.high;
    if (change.anchor) keep_anchor(pipeline, *change.anchor);
}

// The newest anchor gives way to a newer one, unless it is the only one since the last checkpoint.
void keep_anchor(Pipeline& pipeline, const Anchor& anchor) {
    auto& anchors = pipeline.anchors;
    PAWL_ASSERT(anchors.empty() || anchors.back().revision < anchor.revision);
    const Revision told = pipeline.checkpoint ? pipeline.checkpoint->revision : 0;
    if (!anchors.empty() && anchors.back().revision > told) anchors.pop_back();
    if (anchors.size() == limits::anchors_max) anchors.erase(anchors.begin());
    anchors.push_back(anchor);
}

void apply(Batch& batch, const ApplyBatch& change) {
    PAWL_ASSERT(batch.pipeline == change.pipeline && batch.id == change.batch);
    PAWL_ASSERT(batch.state == BatchState::intent);
    const BatchOutcome& outcome = change.outcome;
    // Not `== actions`: a replay in several reads may send an entity twice, and may find rows gone that
    // somebody deleted from the history.
    PAWL_ASSERT(std::uint64_t{outcome.done} + outcome.superseded + outcome.quarantined <= batch.content.rows);
    PAWL_ASSERT(change.quarantined.size() <= outcome.quarantined);
    batch.state = BatchState::applied;
    batch.outcome = outcome;
    batch.applied_at = change.at;
}

void commit(Batch& batch, TimeMs at) {
    PAWL_ASSERT(batch.state == BatchState::applied);
    batch.state = BatchState::committed;
    batch.committed_at = at;
}

void move_fill(Pipeline& pipeline, const std::optional<Fill>& fill) {
    PAWL_ASSERT(!fill || pipeline.fill);
    PAWL_ASSERT(!fill || fill->after.size() <= limits::position_bytes_max);
    pipeline.fill = fill;
}

void move_watermark(Pipeline& pipeline, Revision watermark) {
    PAWL_ASSERT(pipeline.watermark <= watermark);
    PAWL_ASSERT(watermark <= pipeline.high);
    pipeline.watermark = watermark;
}

void close_gaps(Pipeline& pipeline, const CloseGaps& change) {
    PAWL_ASSERT(change.pipeline == pipeline.name);
    PAWL_ASSERT(change.gaps.empty() || change.gaps.lowest() > change.watermark);
    PAWL_ASSERT(change.gaps.empty() || change.gaps.highest() <= pipeline.high);
    const std::uint64_t room = UINT64_MAX - pipeline.gaps_unproven;
    pipeline.gaps_unproven += std::min(room, change.unproven);
    move_watermark(pipeline, change.watermark);
}

void set_condition(Pipeline& pipeline, const SetCondition& change) {
    PAWL_ASSERT(change.pipeline == pipeline.name);
    pipeline.condition = change.condition;
    pipeline.condition_detail = change.detail;
    pipeline.condition_since = change.at;
    cut_text_to(pipeline.condition_detail, limits::reason_bytes_max);
}

Pipeline unknown_pipeline(const std::string& name) {
    assert_name(name);
    Pipeline pipeline;
    pipeline.name = name;
    return pipeline;
}

void record_checkpoint(Pipeline& pipeline, const RecordCheckpoint& change) {
    PAWL_ASSERT(change.pipeline == pipeline.name);
    PAWL_ASSERT(change.checkpoint.revision <= pipeline.high);
    pipeline.checkpoint = change.checkpoint;
}

void set_shape(Pipeline& pipeline, const SetShape& change) {
    PAWL_ASSERT(change.pipeline == pipeline.name);
    PAWL_ASSERT(change.anchors.size() <= limits::anchors_max);
    pipeline.shape = change.shape;
    pipeline.anchors = change.anchors;
}

void note_incident(Pipeline& pipeline, const NoteIncident& change) {
    PAWL_ASSERT(change.pipeline == pipeline.name);
    auto& incidents = pipeline.incidents;
    const std::uint64_t last = incidents.empty() ? 0 : incidents.back().number;
    Incident incident{last + 1, change.at, change.label, change.text};
    cut_text_to(incident.label, limits::incident_label_bytes_max);
    cut_text_to(incident.text, limits::incident_text_bytes_max);
    if (incidents.size() == limits::incidents_kept_max) incidents.erase(incidents.begin());
    incidents.push_back(std::move(incident));
}

QuarantineEntry as_kept(QuarantineEntry entry) {
    assert_name(entry.pipeline);
    PAWL_ASSERT(entry.revision <= revision_max);
    cut_to(entry.entity, limits::entity_bytes_max);
    cut_text_to(entry.error, limits::reason_bytes_max);
    cut_text_to(entry.reason, limits::reason_bytes_max);
    return entry;
}

}  // namespace pawl::journal
