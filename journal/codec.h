// Records as bytes: the keys and values of LMDB's tables. FORMAT.md describes every byte.
// Decoding takes any bytes: it never crashes, never allocates more than a small multiple of them, and says
// what is wrong. Every value ends with a checksum over its key and its other bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "journal/record.h"

namespace pawl::journal {

// Whose journal this is.
struct Header {
    std::uint32_t format = 0;
    TimeMs created_at = 0;
    std::string created_by;  // "pawl 0.1.0"
    bool operator==(const Header&) const = default;
};

// Which transaction wrote the journal last, and what must be there after it.
struct Commit {
    std::uint64_t transaction = 0;     // LMDB's number of it
    std::optional<std::uint64_t> sum;  // of all other records (sum_part_of); formats before 5 have none
    bool operator==(const Commit&) const = default;
};

// Keys. Names are limits::pipeline_name_bytes_max bytes at most, without NUL and not empty (asserted).
std::string pipeline_key(std::string_view pipeline);  // in pipelines and gaps
std::string records_prefix(
    std::string_view pipeline);  // begins all keys of a pipeline in batches and quarantine
std::string batch_key(std::string_view pipeline, BatchId id);
std::string quarantine_key(std::string_view pipeline,
                           std::string_view entity);  // the whole entity, not a cut one

// Values. What does not fit the limits is a bug of the caller (asserted).
std::string encode_header(const Header& header);
std::string encode_commit(std::uint64_t transaction, std::uint64_t sum);
std::string encode_pipeline(const Pipeline& pipeline);
std::string encode_gaps(std::string_view pipeline, const IntervalSet& gaps);
std::string encode_batch(const Batch& batch);
// The key is given because a cut entity no longer tells it.
std::string encode_quarantine(std::string_view key, const QuarantineEntry& entry);

struct Gaps {
    std::string pipeline;
    IntervalSet gaps;
    bool operator==(const Gaps&) const = default;
};

// Errors: kind storage; the message is what is wrong with the record ("checksum differs"), without its place.
// A header of a newer format decodes: only `format` is set then.
Result<Header> decode_header(std::string_view key, std::string_view value);
Result<Commit> decode_commit(std::string_view key, std::string_view value);
Result<Pipeline> decode_pipeline(std::string_view key, std::string_view value);
Result<Gaps> decode_gaps(std::string_view key, std::string_view value);
Result<Batch> decode_batch(std::string_view key, std::string_view value);
Result<QuarantineEntry> decode_quarantine(std::string_view key, std::string_view value);

// The state of a batch without decoding the rest; nothing when the value is no batch. No checksum is looked
// at.
std::optional<BatchState> peek_state(std::string_view value);

// What a record adds to the sum in the commit record, modulo 2^64: its checksum; nothing for the commit
// record itself, and for what is too short to be a record. No checksum is looked at.
std::uint64_t sum_part_of(std::string_view table, std::string_view key, std::string_view value);

// "6c6578": how messages show keys.
std::string to_hex(std::string_view bytes);
// "table batches, key 6c65780000…"
std::string place_of(std::string_view table, std::string_view key);

}  // namespace pawl::journal
