// Any bytes as any record of the journal. The first byte says how long the key is; then the key, then the
// value. The value is tried as it is, and again with a checksum that is right and, where the table's keys
// allow, a key that belongs to it: so mutations get behind the checksum. What must hold: an Error that says
// something, or a record whose encoding is these very bytes; no bytes are two kinds of record.
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "fuzz/judge.h"
#include "journal/codec.h"
#include "journal/format.h"
#include "journal/limits.h"

using namespace pawl;
using namespace pawl::journal;

namespace {

constexpr std::size_t message_bytes_max = 200;

// 1 when it decodes.
template <class Record, class Encode>
int check(const Result<Record>& record, std::string_view value, Encode encode) {
    if (record) {
        PAWL_ASSERT(encode(*record) == value);
        return 1;
    }
    PAWL_ASSERT(record.error().kind == ErrorKind::storage);
    PAWL_ASSERT(!record.error().message.empty() && record.error().message.size() <= message_bytes_max);
    PAWL_ASSERT(!fuzz::has_control_characters(record.error().message));
    return 0;
}

void check_peek(std::string_view value, const Result<Batch>& batch) {
    const auto peeked = peek_state(value);
    if (batch) PAWL_ASSERT(peeked == batch->state);
}

int check_header(std::string_view key, std::string_view value) {
    const auto header = decode_header(key, value);
    // Of a newer format only the number is known.
    if (header && header->format > format::version) {
        PAWL_ASSERT(header->created_by.empty());
        return 1;
    }
    return check(header, value, encode_header);
}

int check_commit(std::string_view key, std::string_view value) {
    const auto commit = decode_commit(key, value);
    // Of an older format there is no sum, and it is not written any more.
    if (commit && !commit->sum) {
        PAWL_ASSERT(value.starts_with(static_cast<char>(format::RecordType::commit_1)));
        return 1;
    }
    return check(commit, value, [](const Commit& one) { return encode_commit(one.transaction, *one.sum); });
}

// A record of an older format becomes one of today's that says the same, and nothing of what is newer.
int check_pipeline(std::string_view key, std::string_view value) {
    const auto pipeline = decode_pipeline(key, value);
    const auto is_of = [&](format::RecordType type) { return value.starts_with(static_cast<char>(type)); };
    const bool is_first = is_of(format::RecordType::pipeline_1);
    const bool is_third = is_of(format::RecordType::pipeline_3);
    if (!pipeline || !(is_first || is_third || is_of(format::RecordType::pipeline_2)))
        return check(pipeline, value, encode_pipeline);
    PAWL_ASSERT(pipeline->shape == 0 && (is_third || pipeline->incidents.empty()));
    PAWL_ASSERT(!is_first || pipeline->gaps_unproven == 0);
    PAWL_ASSERT(decode_pipeline(key, encode_pipeline(*pipeline)) == *pipeline);
    return 1;
}

int check_batch(std::string_view key, std::string_view value) {
    const auto batch = decode_batch(key, value);
    check_peek(value, batch);
    if (batch) PAWL_ASSERT(batch_key(batch->pipeline, batch->id) == key);
    return check(batch, value, encode_batch);
}

void check_all(std::string_view key, std::string_view value) {
    int kinds = check_header(key, value);
    kinds += check_commit(key, value);
    kinds += check_pipeline(key, value);
    kinds += check(decode_gaps(key, value), value,
                   [](const Gaps& gaps) { return encode_gaps(gaps.pipeline, gaps.gaps); });
    kinds += check_batch(key, value);
    kinds += check(decode_quarantine(key, value), value,
                   [&](const QuarantineEntry& entry) { return encode_quarantine(key, entry); });
    PAWL_ASSERT(kinds <= 1);
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= limits::pipeline_name_bytes_max && name.find('\0') == name.npos;
}

// A key under which a value of this type may stand.
std::string fitting_key(std::string_view key, std::string_view body) {
    if (body.empty()) return std::string(key);
    const auto type = static_cast<format::RecordType>(body.front());
    if (type == format::RecordType::header) return std::string(format::header_key);
    if (type == format::RecordType::commit || type == format::RecordType::commit_1)
        return std::string(format::commit_key);
    constexpr std::size_t text_offset = format::quarantine::fixed_bytes + 2;
    if (type != format::RecordType::quarantine || body.size() < text_offset) return std::string(key);
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(body[at]); };
    const std::size_t entity_bytes = byte(text_offset - 2) | std::size_t{byte(text_offset - 1)} << 8;
    const std::string_view name = key.substr(0, key.find('\0'));
    if (!is_name(name) || entity_bytes > body.size() - text_offset) return std::string(key);
    return quarantine_key(name, body.substr(text_offset, entity_bytes));
}

std::string with_checksum(std::string_view key, std::string_view body) {
    const std::string summed = std::string(key) + std::string(body);
    std::uint64_t checksum = XXH3_64bits(summed.data(), summed.size());
    std::string value(body);
    for (std::size_t i = 0; i < format::checksum_bytes; ++i, checksum >>= 8)
        value.push_back(static_cast<char>(checksum & 0xff));
    return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string_view key = bytes.substr(0, std::min<std::size_t>(data[0], bytes.size()));
    const std::string_view value = bytes.substr(key.size());
    check_all(key, value);
    const std::string fitting = fitting_key(key, value);
    check_all(fitting, with_checksum(fitting, value));
    return 0;
}
