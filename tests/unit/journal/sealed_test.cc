// Records whose checksum is right and whose contents are not: what another program, or a bug, may have
// written.
#include <xxhash.h>

#include <catch2/catch.hpp>

#include "journal/codec.h"
#include "journal/format.h"
#include "journal/limits.h"
#include "tests/unit/journal/support.h"

using namespace pawl::journal;
using namespace std::string_literals;

namespace {

// The value with other bytes at an offset, under a checksum that is right for this key.
std::string sealed(const std::string& key, std::string value, std::size_t at = 0,
                   const std::string& bytes = {}) {
    value.resize(value.size() - format::checksum_bytes);
    value.replace(at, bytes.size(), bytes);
    const std::string checked = key + value;
    const std::uint64_t checksum = XXH3_64bits(checked.data(), checked.size());
    for (int i = 0; i < 8; ++i)
        value.push_back(static_cast<char>(checksum >> (8 * i)));
    return value;
}

std::string failure(const auto& decoded) {
    REQUIRE_FALSE(decoded);
    return decoded.error().message;
}

const std::string no_key = "its key is no key of this table";
const std::string big(8, '\xff');  // no revision
const std::string zero(8, '\0');

}  // namespace

TEST_CASE("a record under a key that is none of its table is refused") {
    const std::string header = encode_header({1, 5, "pawl"});
    CHECK(failure(decode_header("other", sealed("other", header))) == no_key);
    CHECK(failure(decode_commit("other", sealed("other", encode_commit(1, 2)))) == no_key);
    const std::string long_name(limits::pipeline_name_bytes_max + 1, 'x');
    Pipeline pipeline;
    pipeline.name = "lex";
    for (const std::string& name : {""s, "a\0b"s, long_name}) {
        CHECK(failure(decode_pipeline(name, sealed(name, encode_pipeline(pipeline)))) == no_key);
        CHECK(failure(decode_gaps(name, sealed(name, encode_gaps("lex", {})))) == no_key);
    }
    const std::string batch = encode_batch(test::open_of("lex", 1, 1, 5).batch);
    const std::string entry =
        encode_quarantine(quarantine_key("lex", "one"), test::entry_of("lex", "one", 1));
    for (const std::string& key : {"short"s, "lex12345678901234567890"s, "\0"s + "12345678901234567890"s}) {
        CHECK(failure(decode_batch(key, sealed(key, batch))) == no_key);
        CHECK(failure(decode_quarantine(key, sealed(key, entry))) == no_key);
    }
}

TEST_CASE("a header that is not pawl's, or has no version, is refused") {
    const std::string key(format::header_key);
    const std::string value = encode_header({1, 5, "pawl"});
    CHECK_THAT(failure(decode_header(key, sealed(key, value, 1, "fowl"))), Catch::Contains("no header"));
    CHECK(failure(decode_header(key, sealed(key, value, 5, zero.substr(0, 4)))) == "format version 0");
}

TEST_CASE("a pipeline's record says which of its fields cannot be") {
    Pipeline pipeline;
    pipeline.name = "lex";
    pipeline.high = 10;
    pipeline.watermark = 5;
    const std::string value = encode_pipeline(pipeline);
    const auto with = [&](std::size_t at, const std::string& bytes) {
        return failure(decode_pipeline("lex", sealed("lex", value, at, bytes)));
    };
    namespace at = format::pipeline;
    CHECK(with(at::mode_offset, "\0"s) == "source mode 0 is unknown");
    CHECK(with(at::mode_offset, "\x63") == "source mode 99 is unknown");
    CHECK_THAT(with(at::flags_offset, "\x82"), Catch::StartsWith("flags 0x82"));
    CHECK_THAT(with(at::high_offset, big), Catch::Contains("high is"));
    CHECK(with(at::high_offset, zero) == "watermark 5 is above high 0");
    CHECK(with(at::checkpoint_revision_offset, "\x01") == "a checkpoint without its flag");
    CHECK(with(at::anchor_count_offset, "\xff") == "255 anchors, more than 16");
    CHECK_THAT(with(at::anchor_count_offset, "\x10"), Catch::StartsWith("cut short"));
    // The last of its fields, as it has no fill.
    const std::size_t incident_count_at = value.size() - format::checksum_bytes - 1;
    CHECK(with(incident_count_at, "\x09") == "9 incidents, more than 8");
    CHECK_THAT(with(incident_count_at, "\x08"), Catch::StartsWith("cut short"));
}

TEST_CASE("a batch's record says which of its fields cannot be") {
    const std::string key = batch_key("lex", 1);
    const std::string value = encode_batch(test::open_of("lex", 1, 1, 5).batch);
    CHECK(failure(decode_batch(key, sealed(key, value, format::batch::state_offset, "\x07"))) ==
          "batch state 7 is unknown");
    const std::string nothing = batch_key("lex", 0);
    CHECK(failure(decode_batch(nothing, sealed(nothing, value))) == "its number is 0");
}

TEST_CASE("an entry of quarantine belongs to the entity of its key") {
    const std::string value =
        encode_quarantine(quarantine_key("lex", "one"), test::entry_of("lex", "one", 1));
    const std::string other = quarantine_key("lex", "two");
    CHECK(failure(decode_quarantine(other, sealed(other, value))) == "its key is of another entity");
    const std::string key = quarantine_key("lex", "one");
    CHECK_THAT(failure(decode_quarantine(key, sealed(key, value, format::quarantine::flags_offset, "\x04"))),
               Catch::StartsWith("flags 0x04"));
}

TEST_CASE("a state is told from a batch's value only") {
    std::string value = encode_batch(test::open_of("lex", 1, 1, 5).batch);
    CHECK(peek_state(value) == BatchState::intent);
    CHECK_FALSE(peek_state(value.substr(0, 20)));
    for (const char state : {'\0', '\x04'}) {
        value[format::batch::state_offset] = state;
        CHECK_FALSE(peek_state(value));
    }
    value[format::type_offset] = static_cast<char>(format::RecordType::gaps);
    CHECK_FALSE(peek_state(value));
}
