// The record of a pipeline: the one that has changed with the formats.
#include "base/assert.h"
#include "journal/codec.h"
#include "journal/limits.h"
#include "journal/record_value.h"

namespace pawl::journal {

using namespace value;

namespace {

void write_anchors(ByteWriter& writer, const std::vector<Anchor>& anchors) {
    PAWL_ASSERT(anchors.size() <= limits::anchors_max);
    writer.u8(static_cast<std::uint8_t>(anchors.size()));
    for (const Anchor& anchor : anchors) {
        writer.u64(anchor.revision);
        writer.u64(anchor.digest);
    }
}

std::vector<Anchor> read_anchors(ByteReader& reader) {
    const std::size_t count = reader.u8();
    if (count > limits::anchors_max)
        reader.fail(fmt::format("{} anchors, more than {}", count, limits::anchors_max));
    std::vector<Anchor> anchors;
    for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
        Anchor anchor;
        anchor.revision = reader.revision("an anchor");
        anchor.digest = reader.u64();
        anchors.push_back(anchor);
    }
    return anchors;
}

void write_incidents(ByteWriter& writer, const std::vector<Incident>& incidents) {
    PAWL_ASSERT(incidents.size() <= limits::incidents_kept_max);
    writer.u8(static_cast<std::uint8_t>(incidents.size()));
    for (const Incident& incident : incidents) {
        writer.u64(incident.number);
        writer.i64(incident.at);
        writer.text(incident.label);
        writer.text(incident.text);
    }
}

std::vector<Incident> read_incidents(ByteReader& reader) {
    const std::size_t count = reader.u8();
    if (count > limits::incidents_kept_max)
        reader.fail(fmt::format("{} incidents, more than {}", count, limits::incidents_kept_max));
    std::vector<Incident> incidents;
    for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
        Incident incident;
        incident.number = reader.u64();
        incident.at = reader.i64();
        incident.label = reader.text(limits::incident_label_bytes_max, "an incident's label");
        incident.text = reader.text(limits::incident_text_bytes_max, "an incident's text");
        incidents.push_back(std::move(incident));
    }
    return incidents;
}

std::optional<Fill> read_fill(ByteReader& reader, std::uint8_t flags) {
    if ((flags & format::pipeline_has_fill) == 0) return std::nullopt;
    Fill fill;
    fill.after = reader.text(limits::position_bytes_max, "the fill's position");
    fill.rows = reader.u64();
    return fill;
}

// Of the format that wrote it; a later one has the newest.
RecordType pipeline_type_of(std::string_view value) {
    for (const RecordType older : {RecordType::pipeline_1, RecordType::pipeline_2, RecordType::pipeline_3})
        if (value.starts_with(static_cast<char>(older))) return older;
    return RecordType::pipeline;
}

}  // namespace

std::string encode_pipeline(const Pipeline& pipeline) {
    PAWL_ASSERT(pipeline.watermark <= pipeline.high && pipeline.high <= revision_max);
    ByteWriter writer = begin_value(RecordType::pipeline);
    writer.u8(static_cast<std::uint8_t>(pipeline.source.mode));
    writer.u8(static_cast<std::uint8_t>(pipeline.condition));
    const int flags = (pipeline.checkpoint ? format::pipeline_has_checkpoint : 0) |
                      (pipeline.fill ? format::pipeline_has_fill : 0);
    writer.u8(static_cast<std::uint8_t>(flags));
    PAWL_ASSERT(writer.size() == format::pipeline::last_batch_offset);
    writer.u64(pipeline.last_batch);
    writer.u64(pipeline.high);
    writer.u64(pipeline.watermark);
    writer.i64(pipeline.condition_since);
    PAWL_ASSERT(writer.size() == format::pipeline::checkpoint_revision_offset);
    const Checkpoint checkpoint = pipeline.checkpoint.value_or(Checkpoint{});
    writer.u64(checkpoint.revision);
    writer.i64(checkpoint.written_at);
    PAWL_ASSERT(writer.size() == format::pipeline::gaps_unproven_offset);
    writer.u64(pipeline.gaps_unproven);
    PAWL_ASSERT(writer.size() == format::pipeline::shape_offset);
    writer.u64(pipeline.shape);
    PAWL_ASSERT(writer.size() == format::pipeline::anchor_count_offset);
    write_anchors(writer, pipeline.anchors);
    write_limited(writer, pipeline.source.database, limits::identity_bytes_max);
    write_limited(writer, pipeline.source.table, limits::identity_bytes_max);
    write_limited(writer, pipeline.target.alias, limits::identity_bytes_max);
    write_limited(writer, pipeline.target.index, limits::identity_bytes_max);
    write_limited(writer, pipeline.target.uuid, limits::identity_bytes_max);
    write_limited(writer, pipeline.condition_detail, limits::reason_bytes_max);
    write_incidents(writer, pipeline.incidents);
    if (pipeline.fill) {
        write_limited(writer, pipeline.fill->after, limits::position_bytes_max);
        writer.u64(pipeline.fill->rows);
    }
    return finish_value(pipeline_key(pipeline.name), std::move(writer));
}

Result<Pipeline> decode_pipeline(std::string_view key, std::string_view value) {
    const RecordType type = pipeline_type_of(value);
    const auto body = open_value(type, key, value);
    if (!body) return std::unexpected(body.error());
    if (!is_name(key)) return no_such_key();
    ByteReader reader(*body);
    Pipeline pipeline;
    pipeline.name = key;
    pipeline.source.mode = enum_of(reader, SourceMode::outbox, "source mode");
    pipeline.condition = enum_of(reader, last_condition, "condition");
    const bool since_3 = type == RecordType::pipeline || type == RecordType::pipeline_3;
    const std::uint8_t flags =
        flags_of(reader, static_cast<std::uint8_t>(format::pipeline_has_checkpoint |
                                                   (since_3 ? format::pipeline_has_fill : 0)));
    pipeline.last_batch = reader.u64();
    pipeline.high = reader.revision("high");
    pipeline.watermark = reader.revision("watermark");
    pipeline.condition_since = reader.i64();
    Checkpoint checkpoint;
    checkpoint.revision = reader.revision("checkpoint");
    checkpoint.written_at = reader.i64();
    if ((flags & format::pipeline_has_checkpoint) != 0)
        pipeline.checkpoint = checkpoint;
    else if (checkpoint != Checkpoint{})
        reader.fail("a checkpoint without its flag");
    if (type != RecordType::pipeline_1) pipeline.gaps_unproven = reader.u64();
    if (since_3) pipeline.shape = reader.u64();
    // Its anchors' digests were made in another way, so that they cannot be compared.
    if (type == RecordType::pipeline_3) pipeline.shape = 0;
    pipeline.anchors = read_anchors(reader);
    pipeline.source.database = reader.text(limits::identity_bytes_max, "database");
    pipeline.source.table = reader.text(limits::identity_bytes_max, "table");
    pipeline.target.alias = reader.text(limits::identity_bytes_max, "alias");
    pipeline.target.index = reader.text(limits::identity_bytes_max, "index");
    pipeline.target.uuid = reader.text(limits::identity_bytes_max, "uuid");
    pipeline.condition_detail = reader.text(limits::reason_bytes_max, "condition detail");
    if (since_3) pipeline.incidents = read_incidents(reader);
    pipeline.fill = read_fill(reader, flags);
    reader.expect_end();
    if (pipeline.watermark > pipeline.high)
        reader.fail(fmt::format("watermark {} is above high {}", pipeline.watermark, pipeline.high));
    return result_of(reader, std::move(pipeline));
}

}  // namespace pawl::journal
