#include "journal/codec.h"

#include <array>

#include <fmt/core.h>
#include <xxhash.h>

#include "base/assert.h"
#include "journal/bytes.h"
#include "journal/format.h"
#include "journal/limits.h"
#include "journal/record_value.h"

namespace pawl::journal {

using namespace value;

namespace {

std::string entity_digest(std::string_view entity) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(entity.data(), entity.size()));
    static_assert(sizeof(canonical.digest) == format::entity_digest_bytes);
    return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
}

}  // namespace

std::string to_hex(std::string_view bytes) {
    std::string hex;
    for (const char byte : bytes)
        hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return hex;
}

std::string place_of(std::string_view table, std::string_view key) {
    return fmt::format("table {}, key {}", table, to_hex(key));
}

std::string pipeline_key(std::string_view pipeline) {
    PAWL_ASSERT(is_name(pipeline));
    return std::string(pipeline);
}

std::string records_prefix(std::string_view pipeline) {
    std::string prefix = pipeline_key(pipeline);
    prefix.push_back('\0');
    return prefix;
}

std::string batch_key(std::string_view pipeline, BatchId id) {
    ByteWriter key;
    key.raw(records_prefix(pipeline));
    key.u64_big_endian(id);
    return std::move(key).take();
}

std::string quarantine_key(std::string_view pipeline, std::string_view entity) {
    return records_prefix(pipeline) + entity_digest(entity);
}

std::string encode_header(const Header& header) {
    ByteWriter writer = begin_value(RecordType::header);
    writer.raw({format::magic.data(), format::magic.size()});
    writer.u32(header.format);
    writer.i64(header.created_at);
    PAWL_ASSERT(writer.size() == format::header::fixed_bytes);
    write_limited(writer, header.created_by, limits::identity_bytes_max);
    return finish_value(format::header_key, std::move(writer));
}

Result<Header> decode_header(std::string_view key, std::string_view value) {
    const auto body = open_value(RecordType::header, key, value);
    if (!body) return std::unexpected(body.error());
    if (key != format::header_key) return no_such_key();
    ByteReader reader(*body);
    for (const char byte : format::magic)
        if (reader.u8() != static_cast<std::uint8_t>(byte)) reader.fail("it is no header of a journal");
    Header header;
    header.format = reader.u32();
    if (header.format == 0) reader.fail("format version 0");
    if (reader.failed() || header.format > format::version) return result_of(reader, header);
    header.created_at = reader.i64();
    header.created_by = reader.text(limits::identity_bytes_max, "created_by");
    reader.expect_end();
    return result_of(reader, header);
}

std::string encode_commit(std::uint64_t transaction, std::uint64_t sum) {
    ByteWriter writer = begin_value(RecordType::commit);
    writer.u64(transaction);
    PAWL_ASSERT(writer.size() == format::commit::sum_offset);
    writer.u64(sum);
    PAWL_ASSERT(writer.size() == format::commit::fixed_bytes);
    return finish_value(format::commit_key, std::move(writer));
}

Result<Commit> decode_commit(std::string_view key, std::string_view value) {
    const bool is_first = value.starts_with(static_cast<char>(RecordType::commit_1));
    const auto body = open_value(is_first ? RecordType::commit_1 : RecordType::commit, key, value);
    if (!body) return std::unexpected(body.error());
    if (key != format::commit_key) return no_such_key();
    ByteReader reader(*body);
    Commit commit;
    commit.transaction = reader.u64();
    if (!is_first) commit.sum = reader.u64();
    reader.expect_end();
    return result_of(reader, commit);
}

std::uint64_t sum_part_of(std::string_view table, std::string_view key, std::string_view value) {
    const bool is_commit = table == name_of(format::Table::meta) && key == format::commit_key;
    if (is_commit || value.size() < format::checksum_bytes) return 0;
    return ByteReader(value.substr(value.size() - format::checksum_bytes)).u64();
}

std::string encode_gaps(std::string_view pipeline, const IntervalSet& gaps) {
    ByteWriter writer = begin_value(RecordType::gaps);
    writer.intervals(gaps);
    return finish_value(pipeline_key(pipeline), std::move(writer));
}

Result<Gaps> decode_gaps(std::string_view key, std::string_view value) {
    const auto body = open_value(RecordType::gaps, key, value);
    if (!body) return std::unexpected(body.error());
    if (!is_name(key)) return no_such_key();
    ByteReader reader(*body);
    Gaps gaps{std::string(key), reader.intervals()};
    reader.expect_end();
    return result_of(reader, std::move(gaps));
}

std::string encode_batch(const Batch& batch) {
    PAWL_ASSERT(batch.id >= 1);
    ByteWriter writer = begin_value(RecordType::batch);
    writer.u8(static_cast<std::uint8_t>(batch.state));
    writer.u32(batch.content.rows);
    writer.u32(batch.content.indexed);
    writer.u32(batch.content.removed);
    writer.u32(batch.content.invalid);
    PAWL_ASSERT(writer.size() == format::batch::digest_offset);
    writer.u64(batch.content.digest);
    writer.u32(batch.outcome.done);
    writer.u32(batch.outcome.superseded);
    writer.u32(batch.outcome.quarantined);
    PAWL_ASSERT(writer.size() == format::batch::intent_at_offset);
    writer.i64(batch.intent_at);
    writer.i64(batch.applied_at);
    writer.i64(batch.committed_at);
    PAWL_ASSERT(writer.size() == format::batch::fixed_bytes);
    write_limited(writer, batch.index_uuid, limits::identity_bytes_max);
    writer.intervals(batch.revisions);
    return finish_value(batch_key(batch.pipeline, batch.id), std::move(writer));
}

Result<Batch> decode_batch(std::string_view key, std::string_view value) {
    const auto body = open_value(RecordType::batch, key, value);
    if (!body) return std::unexpected(body.error());
    const auto name = name_in_key(key, format::batch_id_bytes);
    if (!name) return no_such_key();
    ByteReader reader(*body);
    Batch batch;
    batch.pipeline = *name;
    batch.id = ByteReader(key.substr(key.size() - format::batch_id_bytes)).u64_big_endian();
    if (batch.id == 0) reader.fail("its number is 0");
    batch.state = enum_of(reader, BatchState::committed, "batch state");
    batch.content.rows = reader.u32();
    batch.content.indexed = reader.u32();
    batch.content.removed = reader.u32();
    batch.content.invalid = reader.u32();
    batch.content.digest = reader.u64();
    batch.outcome.done = reader.u32();
    batch.outcome.superseded = reader.u32();
    batch.outcome.quarantined = reader.u32();
    batch.intent_at = reader.i64();
    batch.applied_at = reader.i64();
    batch.committed_at = reader.i64();
    batch.index_uuid = reader.text(limits::identity_bytes_max, "index uuid");
    batch.revisions = reader.intervals();
    reader.expect_end();
    return result_of(reader, std::move(batch));
}

std::string encode_quarantine(std::string_view key, const QuarantineEntry& entry) {
    PAWL_ASSERT(entry.revision <= revision_max);
    ByteWriter writer = begin_value(RecordType::quarantine);
    writer.u8(entry.retry_requested ? format::quarantine_retry_requested : 0);
    writer.u64(entry.revision);
    writer.i64(entry.since);
    writer.u32(entry.attempts);
    PAWL_ASSERT(writer.size() == format::quarantine::fixed_bytes);
    write_limited(writer, entry.entity, limits::entity_bytes_max);
    write_limited(writer, entry.error, limits::reason_bytes_max);
    write_limited(writer, entry.reason, limits::reason_bytes_max);
    return finish_value(key, std::move(writer));
}

Result<QuarantineEntry> decode_quarantine(std::string_view key, std::string_view value) {
    const auto body = open_value(RecordType::quarantine, key, value);
    if (!body) return std::unexpected(body.error());
    const auto name = name_in_key(key, format::entity_digest_bytes);
    if (!name) return no_such_key();
    ByteReader reader(*body);
    QuarantineEntry entry;
    entry.pipeline = *name;
    entry.retry_requested = (flags_of(reader, format::quarantine_retry_requested) & 1U) != 0;
    entry.revision = reader.revision("revision");
    entry.since = reader.i64();
    entry.attempts = reader.u32();
    entry.entity = reader.text(limits::entity_bytes_max, "entity");
    entry.error = reader.text(limits::reason_bytes_max, "error");
    entry.reason = reader.text(limits::reason_bytes_max, "reason");
    reader.expect_end();
    const bool whole = entry.entity.size() < limits::entity_bytes_max;
    if (!reader.failed() && whole && quarantine_key(*name, entry.entity) != key)
        reader.fail("its key is of another entity");
    return result_of(reader, std::move(entry));
}

std::optional<BatchState> peek_state(std::string_view value) {
    if (value.size() < format::batch::fixed_bytes + format::checksum_bytes) return std::nullopt;
    if (static_cast<std::uint8_t>(value[format::type_offset]) != static_cast<std::uint8_t>(RecordType::batch))
        return std::nullopt;
    const auto state = static_cast<std::uint8_t>(value[format::batch::state_offset]);
    if (state < 1 || state > static_cast<std::uint8_t>(BatchState::committed)) return std::nullopt;
    return static_cast<BatchState>(state);
}

}  // namespace pawl::journal
