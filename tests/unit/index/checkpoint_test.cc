#include "index/checkpoint.h"

#include <fmt/core.h>
#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::index;

namespace {

engine::Remembered some() {
    return {.pipeline = "lex",
            .source = {journal::SourceMode::revision, "karp", "lex"},
            .revision = 4'711,
            .owed = engine::IntervalSet({{17, 18}, {23, 23}}),
            .anchor = journal::Anchor{4'712, 0x00c0ffee00c0ffee},
            .shape = 0x0123456789abcdef,
            .written_at = 1'795'572'904'123};
}

constexpr const char* written =
    R"({"pawl":{"format":2,"pipeline":"lex","source":{"mode":"revision","database":"karp","table":"lex"},)"
    R"("revision":4711,"owed":[17,18,23],"anchor":{"revision":4712,"digest":"00c0ffee00c0ffee"},)"
    R"("shape":"0123456789abcdef","written_at":"2026-11-25T02:15:04.123Z"}})";

// The text above with one piece put in place of another.
std::string with(std::string_view before, std::string_view after) {
    std::string text = written;
    const auto found = text.find(before);
    REQUIRE(found != text.npos);
    return text.replace(found, before.size(), after);
}

}  // namespace

TEST_CASE("what is written is what is read") {
    CHECK(meta_with("", some()) == written);
    CHECK(remembered_in(written, "lex-1").value() == some());
    auto little = some();
    little.owed = {};
    little.anchor.reset();
    CHECK(remembered_in(meta_with("{}", little), "lex-1").value() == little);
    little.filling = true;
    little.entities = "lex by {id}";
    little.replaces = "yCjL0OXcTNSn8gGYNVUqrg";
    CHECK(remembered_in(meta_with("{}", little), "lex-1").value() == little);
}

TEST_CASE("of format 1, whose digests are of another kind, the shape is not known") {
    auto without_shape = some();
    without_shape.shape = 0;
    CHECK(remembered_in(with(R"("format":2)", R"("format":1)"), "lex-1").value() == without_shape);
}

TEST_CASE("other keys stay in their order, and an older checkpoint is replaced in its place") {
    auto older = some();
    older.revision = 1;
    older.owed = {};
    const std::string merged = meta_with(meta_with(R"({"z":1,"a":{"y":2.50,"b":null}})", older), some());
    CHECK(merged.starts_with(R"({"z":1,"a":{"y":2.5,"b":null},"pawl":{)"));
    CHECK(remembered_in(merged, "lex-1").value() == some());
}

TEST_CASE("nothing is remembered where no pawl has written") {
    for (const char* const meta : {"", "{}", "null", "[1]", "{", R"({"owner":"x"})"}) {
        INFO(meta);
        const auto found = remembered_in(meta, "lex-1");
        REQUIRE(found);
        CHECK_FALSE(*found);
    }
}

TEST_CASE("a newer format is told from damage, and each says what to do") {
    const auto newer = remembered_in(with(R"("format":2)", R"("format":3)"), "lex-1");
    REQUIRE_FALSE(newer);
    CHECK(newer.error().kind == ErrorKind::invalid);
    CHECK_THAT(newer.error().message, Catch::Contains("lex-1") && Catch::Contains("format 2"));
    CHECK_THAT(newer.error().advice, Catch::Contains("upgrade"));

    const std::string too_many = [] {
        std::string list;
        for (std::size_t i = 1; i <= engine::limits::owed_max + 1; ++i)
            list += fmt::format("{}{}", list.empty() ? "" : ",", i);
        return list;
    }();
    for (const auto& meta : {std::string(R"({"pawl":"x"})"),
                             std::string(R"({"pawl":{}})"),
                             with(R"("format":2)", R"("format":-1)"),
                             with(R"("format":2)", R"("format":"2")"),
                             with(R"("lex","source")", R"("","source")"),
                             with(R"("lex","source")", "\"" + std::string(65, 'x') + "\",\"source\""),
                             with(R"("lex","source")", R"("a\nb","source")"),
                             with(R"("revision","database")", R"("other","database")"),
                             with(R"("karp")", "7"),
                             with("4711", "-1"),
                             with("4711", "9223372036854775808"),
                             with("4711", "1.5"),
                             with("[17,18,23]", R"("17")"),
                             with("[17,18,23]", "[0]"),
                             with("[17,18,23]", "[4712]"),
                             with("17,18,23", too_many),
                             with("00c0ffee00c0ffee", "c0ffee"),
                             with("00c0ffee00c0ffee", "00c0ffee00c0ffeg"),
                             with("0123456789abcdef", ""),
                             with("2026-11-25T", "2026-13-25T"),
                             with("2026-11-25T", "yesterday T")}) {
        INFO(meta);
        const auto damaged = remembered_in(meta, "lex-1");
        REQUIRE_FALSE(damaged);
        CHECK(damaged.error().kind == ErrorKind::invalid);
        CHECK_THAT(damaged.error().message, Catch::Contains("lex-1"));
        CHECK_THAT(damaged.error().advice, Catch::Contains("PUT /lex-1/_mapping"));
    }
}
