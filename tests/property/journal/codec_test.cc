#include "journal/codec.h"

#include <catch2/catch.hpp>

#include "journal/format.h"
#include "tests/property/journal/generators.h"

using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

// Decodes with every decoder; whatever decodes must be what these bytes encode, so that no two values mean
// the same.
void decode_any(const std::string& key, const std::string& value) {
    if (const auto header = decode_header(key, value); header && header->format <= format::version)
        RC_ASSERT(encode_header(*header) == value);
    if (const auto commit = decode_commit(key, value); commit && commit->sum)
        RC_ASSERT(encode_commit(commit->transaction, *commit->sum) == value);
    const bool format_1 = value.starts_with(static_cast<char>(format::RecordType::pipeline_1));
    if (const auto pipeline = decode_pipeline(key, value); pipeline && !format_1)
        RC_ASSERT(encode_pipeline(*pipeline) == value);
    if (const auto gaps = decode_gaps(key, value))
        RC_ASSERT(encode_gaps(gaps->pipeline, gaps->gaps) == value);
    if (const auto batch = decode_batch(key, value)) RC_ASSERT(encode_batch(*batch) == value);
    if (const auto entry = decode_quarantine(key, value)) RC_ASSERT(encode_quarantine(key, *entry) == value);
    (void)peek_state(value);
}

// A valid record of any type.
std::pair<std::string, std::string> any_record() {
    switch (*rc::gen::inRange(0, 6)) {
        case 0: {
            const Batch batch = any_batch();
            return {batch_key(batch.pipeline, batch.id), encode_batch(batch)};
        }
        case 1: {
            const Pipeline pipeline = any_pipeline();
            return {pipeline_key(pipeline.name), encode_pipeline(pipeline)};
        }
        case 2: {
            const std::string name = *pipeline_name();
            return {pipeline_key(name), encode_gaps(name, *any_set())};
        }
        case 3: {
            const QuarantineEntry entry = any_entry();
            const std::string key = quarantine_key(entry.pipeline, entry.entity);
            return {key, encode_quarantine(key, entry)};
        }
        case 4:
            return {"commit", encode_commit(*rc::gen::arbitrary<std::uint64_t>(),
                                            *rc::gen::arbitrary<std::uint64_t>())};
        default:
            return {"journal", encode_header({1, 5, "pawl"})};
    }
}

bool decodes(const std::string& key, const std::string& value) {
    return decode_header(key, value) || decode_commit(key, value) || decode_pipeline(key, value) ||
           decode_gaps(key, value) || decode_batch(key, value) || decode_quarantine(key, value);
}

}  // namespace

TEST_CASE("every record comes back as it was written") {
    REQUIRE(rc::check("batch", [] {
        const Batch batch = any_batch();
        const auto decoded = decode_batch(batch_key(batch.pipeline, batch.id), encode_batch(batch));
        RC_ASSERT(decoded.has_value());
        RC_ASSERT(*decoded == batch);
        RC_ASSERT(peek_state(encode_batch(batch)) == batch.state);
    }));
    REQUIRE(rc::check("pipeline", [] {
        const Pipeline pipeline = any_pipeline();
        const auto decoded = decode_pipeline(pipeline_key(pipeline.name), encode_pipeline(pipeline));
        RC_ASSERT(decoded.has_value());
        RC_ASSERT(*decoded == pipeline);
    }));
    REQUIRE(rc::check("commit", [] {
        const Commit commit{*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()};
        const auto decoded = decode_commit("commit", encode_commit(commit.transaction, *commit.sum));
        RC_ASSERT(decoded.has_value());
        RC_ASSERT(*decoded == commit);
    }));
    REQUIRE(rc::check("gaps", [] {
        const Gaps gaps{*pipeline_name(), *any_set()};
        const auto decoded = decode_gaps(pipeline_key(gaps.pipeline), encode_gaps(gaps.pipeline, gaps.gaps));
        RC_ASSERT(decoded.has_value());
        RC_ASSERT(*decoded == gaps);
    }));
    REQUIRE(rc::check("quarantine", [] {
        const QuarantineEntry entry = any_entry();
        const std::string key = quarantine_key(entry.pipeline, entry.entity);
        const auto decoded = decode_quarantine(key, encode_quarantine(key, entry));
        RC_ASSERT(decoded.has_value());
        RC_ASSERT(*decoded == entry);
    }));
}

TEST_CASE("keys are in the order of the numbers, pipeline by pipeline") {
    REQUIRE(rc::check("batch keys", [] {
        const auto left = std::pair(*pipeline_name(), *rc::gen::arbitrary<BatchId>());
        const auto right = std::pair(*rc::gen::oneOf(pipeline_name(), rc::gen::just(left.first)),
                                     *rc::gen::arbitrary<BatchId>());
        const bool key_less = batch_key(left.first, left.second) < batch_key(right.first, right.second);
        RC_ASSERT(key_less == (left < right));
    }));
}

TEST_CASE("any bytes decode to an error or to what they encode") {
    REQUIRE(rc::check("rubbish", [] {
        decode_any(*rc::gen::arbitrary<std::string>(), *rc::gen::arbitrary<std::string>());
    }));
    REQUIRE(rc::check("a record under another key, cut, longer or with a changed byte never decodes", [] {
        const auto [key, value] = any_record();
        RC_ASSERT(decodes(key, value));
        decode_any(key, value);
        const auto at = *rc::gen::inRange<std::size_t>(0, value.size());
        std::string changed = value;
        changed[at] = static_cast<char>(changed[at] ^ *rc::gen::inRange(1, 256));
        RC_ASSERT_FALSE(decodes(key, changed));
        RC_ASSERT_FALSE(decodes(key, value.substr(0, at)));
        RC_ASSERT_FALSE(decodes(key, value + '\0'));
        RC_ASSERT_FALSE(decodes(key + "x", value));
    }));
}
