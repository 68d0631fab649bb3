#include "journal/codec.h"

#include <cctype>
#include <sstream>

#include <catch2/catch.hpp>

#include "journal/format.h"
#include "journal/limits.h"
#include "tests/unit/journal/support.h"

using namespace pawl::journal;

namespace {

// The bytes in the code blocks of FORMAT.md that follow `heading`, block by block: two hex digits a byte, up
// to two spaces in a row, behind which a line has its comment.
std::vector<std::string> hex_blocks_after(const std::string& heading) {
    const std::string text = test::read_bytes(PAWL_JOURNAL_FOLDER "/FORMAT.md");
    std::istringstream lines(text.substr(text.find(heading)));
    std::vector<std::string> blocks;
    bool in_block = false;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && !line.starts_with("## ")) {
        if (line.starts_with("```")) {
            in_block = !in_block;
            if (in_block) blocks.emplace_back();
            continue;
        }
        if (!in_block) continue;
        for (std::size_t at = 0; at + 1 < line.size() && std::isxdigit(static_cast<unsigned char>(line[at]));
             at += 3)
            blocks.back().push_back(static_cast<char>(std::stoi(line.substr(at, 2), nullptr, 16)));
    }
    return blocks;
}

std::string what(const auto& failed) {
    REQUIRE_FALSE(failed);
    return failed.error().message;
}

}  // namespace

TEST_CASE("the worked example of FORMAT.md is what pawl writes, byte for byte") {
    Batch batch;
    batch.id = 17;
    batch.pipeline = "lex";
    batch.revisions = IntervalSet({{100, 103}, {300, 300}});
    batch.content = {5, 3, 1, 0, 0x0123456789abcdef};
    batch.index_uuid = "uuid";
    batch.intent_at = 1'000;
    const auto blocks = hex_blocks_after("## A worked example");
    REQUIRE(blocks.size() == 4);
    CHECK(to_hex(blocks[0]) == to_hex(batch_key("lex", 17)));
    CHECK(to_hex(blocks[1]) == to_hex(encode_batch(batch)));
    CHECK(blocks[1].size() == 82);
    const std::uint64_t sum = 0x1111111111111111 + sum_part_of("batches", blocks[0], blocks[1]);
    CHECK(to_hex(blocks[2]) == to_hex(format::commit_key));
    CHECK(to_hex(blocks[3]) == to_hex(encode_commit(7, sum)));
    CHECK(blocks[3].size() == 25);
}

TEST_CASE("a record says what is wrong with it") {
    const std::string key = batch_key("lex", 17);
    const std::string value = encode_batch(test::open_of("lex", 17, 1, 5).batch);
    CHECK(what(decode_batch(key, "")) == "cut short: 0 bytes are no record");
    CHECK(what(decode_batch(key, value.substr(0, 30))) == "checksum differs");
    CHECK(what(decode_batch(batch_key("lex", 18), value)) == "checksum differs");
    const std::string gaps = encode_gaps("lex", {});
    CHECK(what(decode_pipeline("lex", gaps)) == "record type 4 where 12 belongs");
}

TEST_CASE("a record adds its checksum to the sum, and the commit record nothing") {
    const std::string value = encode_gaps("lex", IntervalSet({{1, 2}}));
    std::uint64_t checksum = 0;
    for (int i = 1; i <= 8; ++i)
        checksum =
            checksum << 8 | static_cast<unsigned char>(value[value.size() - static_cast<std::size_t>(i)]);
    CHECK(sum_part_of("gaps", "lex", value) == checksum);
    CHECK(sum_part_of("meta", "commit", value) == 0);
    CHECK(sum_part_of("gaps", "commit", value) == checksum);  // a pipeline may have this name
    CHECK(sum_part_of("meta", "journal", value) == checksum);
    CHECK(sum_part_of("gaps", "lex", value.substr(0, 7)) == 0);
}

TEST_CASE("an entity's key does not depend on what quarantine keeps of it") {
    const std::string name = "lex";
    const std::string long_id(2'000, 'x');
    CHECK(quarantine_key(name, long_id) != quarantine_key(name, long_id.substr(0, limits::entity_bytes_max)));
    CHECK(quarantine_key(name, long_id).size() == 3 + 1 + format::entity_digest_bytes);
}

TEST_CASE("what no record may hold is a bug and aborts") {
    using test::aborts;
    CHECK(aborts([] { (void)pipeline_key(""); }));
    CHECK(aborts([] { (void)pipeline_key(std::string("a\0b", 3)); }));
    CHECK(aborts([] { (void)pipeline_key(std::string(limits::pipeline_name_bytes_max + 1, 'x')); }));
    CHECK(aborts([] { (void)encode_gaps("lex", IntervalSet({{0, 1}})); }));
    CHECK(aborts([] { (void)encode_batch(Batch{}); }));
    CHECK(aborts([] {
        QuarantineEntry entry = test::entry_of("lex", std::string(limits::entity_bytes_max + 1, 'x'), 1);
        (void)encode_quarantine("lex", entry);
    }));
}

TEST_CASE("a header of a newer format tells its number and nothing else") {
    const auto header = decode_header("journal", encode_header({7, 5, "pawl 9"}));
    REQUIRE(header);
    CHECK(header->format == 7);
    CHECK(header->created_by.empty());
    CHECK(what(decode_header("journal", encode_header({0, 5, "pawl"}))) == "format version 0");
}
