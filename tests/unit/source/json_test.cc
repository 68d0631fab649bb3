#include "source/json.h"

#include <rapidcheck.h>
#include <bit>
#include <catch2/catch.hpp>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

using namespace pawl::source;

namespace {

std::string json_of(ColumnKind kind, std::string_view value) {
    std::vector<char> buffer(json_bytes_max(kind, value.size()));
    const char* const end = write_json(kind, value, buffer.data());
    REQUIRE(end <= buffer.data() + buffer.size());
    return std::string(static_cast<const char*>(buffer.data()), end);
}

// Any valid UTF-8, rich in what JSON must escape.
std::string any_text() {
    const auto piece = rc::gen::element<std::string>("a", "Z", "\"", "\\", "\n", "\x01", "\x7f", "0", "1",
                                                     "-", ".", ",", " ", "e", "\xc3\xa9", "\xe2\x80\xa8",
                                                     "\xf0\x9f\x98\x80", "0000-00-00", "2026-11-24 ");
    std::string text;
    for (const auto& part : *rc::gen::container<std::vector<std::string>>(piece))
        text += part;
    return text;
}

}  // namespace

TEST_CASE("integers and decimals keep every digit, without the zeros of ZEROFILL") {
    CHECK(json_of(ColumnKind::integer, "18446744073709551615") == "18446744073709551615");
    CHECK(json_of(ColumnKind::integer, "-9223372036854775808") == "-9223372036854775808");
    CHECK(json_of(ColumnKind::integer, "00000042") == "42");
    CHECK(json_of(ColumnKind::integer, "00000000") == "0");
    CHECK(json_of(ColumnKind::integer, "0000") == "0");
    CHECK(json_of(ColumnKind::decimal, "000000000000012.50000") == "12.50000");
    CHECK(json_of(ColumnKind::decimal, "000000.00001") == "0.00001");
    CHECK(json_of(ColumnKind::decimal, "-0.10") == "-0.10");
}

TEST_CASE("a FLOAT is the shortest number that is the same FLOAT") {
    CHECK(json_of(ColumnKind::real32, "0.10000000149011612") == "0.1");
    CHECK(json_of(ColumnKind::real32, "16777218") == "16777218");
    CHECK(json_of(ColumnKind::real32, "0.3333333432674408") == "0.33333334");
    CHECK(json_of(ColumnKind::real32, "3.4028234663852886e38") == "3.4028235e+38");
    CHECK(json_of(ColumnKind::real32, "0") == "0");
}

TEST_CASE("a DOUBLE is taken as MariaDB prints it, with all its digits") {
    CHECK(json_of(ColumnKind::real64, "0.30000000000000004") == "0.30000000000000004");
    CHECK(json_of(ColumnKind::real64, "1.7976931348623157e308") == "1.7976931348623157e308");
    CHECK(json_of(ColumnKind::real64, "-5e-324") == "-5e-324");
}

TEST_CASE("TINYINT(1) is a boolean, other numbers in it stay numbers") {
    CHECK(json_of(ColumnKind::boolean, "0") == "false");
    CHECK(json_of(ColumnKind::boolean, "1") == "true");
    CHECK(json_of(ColumnKind::boolean, "5") == "5");
    CHECK(json_of(ColumnKind::boolean, "-1") == "-1");
}

TEST_CASE("BIT is a number, BIT(1) a boolean") {
    CHECK(json_of(ColumnKind::bit, std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff", 8)) ==
          "18446744073709551615");
    CHECK(json_of(ColumnKind::bit, std::string_view("\0\x05", 2)) == "5");
    CHECK(json_of(ColumnKind::bit_boolean, std::string_view("\x01", 1)) == "true");
    CHECK(json_of(ColumnKind::bit_boolean, std::string_view("\0", 1)) == "false");
}

TEST_CASE("times are ISO 8601, TIMESTAMP with its zone; zero dates are null") {
    CHECK(json_of(ColumnKind::timestamp, "2026-11-24 02:15:04") == R"("2026-11-24T02:15:04Z")");
    CHECK(json_of(ColumnKind::timestamp, "2026-11-24 02:15:04.12") == R"("2026-11-24T02:15:04.12Z")");
    CHECK(json_of(ColumnKind::datetime, "2026-11-24 02:15:04.123456") == R"("2026-11-24T02:15:04.123456")");
    CHECK(json_of(ColumnKind::date, "2026-11-24") == R"("2026-11-24")");
    CHECK(json_of(ColumnKind::date, "2026-00-00") == R"("2026-00-00")");
    CHECK(json_of(ColumnKind::date, "0000-00-00") == "null");
    CHECK(json_of(ColumnKind::datetime, "0000-00-00 00:00:00.000000") == "null");
    CHECK(json_of(ColumnKind::timestamp, "0000-00-00 00:00:00") == "null");
}

TEST_CASE("a SET is a list of its members") {
    CHECK(json_of(ColumnKind::set, "") == "[]");
    CHECK(json_of(ColumnKind::set, "a") == R"(["a"])");
    CHECK(json_of(ColumnKind::set, "a,b\"c,d") == R"(["a","b\"c","d"])");
}

TEST_CASE("binary values are base64") {
    CHECK(json_of(ColumnKind::binary, "") == R"("")");
    CHECK(json_of(ColumnKind::binary, "f") == R"("Zg==")");
    CHECK(json_of(ColumnKind::binary, "fo") == R"("Zm8=")");
    CHECK(json_of(ColumnKind::binary, "foo") == R"("Zm9v")");
    CHECK(json_of(ColumnKind::binary, std::string_view("\xff\x00\xfe", 3)) == R"("/wD+")");
}

TEST_CASE("what does not look like its kind becomes a string and stays JSON") {
    CHECK(json_of(ColumnKind::integer, "1 2") == R"("1 2")");
    CHECK(json_of(ColumnKind::real32, "nan") == R"("nan")");
    CHECK(json_of(ColumnKind::decimal, "") == R"("")");
    CHECK(json_of(ColumnKind::timestamp, "x") == R"("x")");
}

TEST_CASE("any text comes back from its JSON string") {
    REQUIRE(rc::check([] {
        const std::string text = any_text();
        RC_ASSERT(nlohmann::json::parse(json_string(text)).get<std::string>() == text);
    }));
}

TEST_CASE("any valid UTF-8 in any kind gives one JSON value within the bound") {
    REQUIRE(rc::check([] {
        const std::string text = any_text();
        for (const auto kind :
             {ColumnKind::integer, ColumnKind::boolean, ColumnKind::decimal, ColumnKind::real32,
              ColumnKind::real64, ColumnKind::text, ColumnKind::set, ColumnKind::binary, ColumnKind::bit,
              ColumnKind::bit_boolean, ColumnKind::timestamp, ColumnKind::datetime, ColumnKind::date})
            RC_ASSERT(nlohmann::json::accept(json_of(kind, text)));
    }));
}

TEST_CASE("any FLOAT comes back") {
    REQUIRE(rc::check([](std::uint32_t bits) {
        const auto value = std::bit_cast<float>(bits);
        RC_PRE(std::isfinite(value));
        char spelled[64];
        const auto end = std::to_chars(spelled, spelled + sizeof spelled, static_cast<double>(value)).ptr;
        const std::string json = json_of(ColumnKind::real32, {spelled, end});
        float back = 0;
        std::from_chars(json.data(), json.data() + json.size(), back);
        RC_ASSERT(back == value);
    }));
}

TEST_CASE("a cut text does not end within a character") {
    CHECK(cut("abc", 3) == "abc");
    CHECK(cut("abc", 2) == "ab");
    CHECK(cut("a\xc3\xa9", 2) == "a");
    CHECK(cut("\xf0\x9f\x98\x80", 3).empty());
}

TEST_CASE("any number but zero marks a deletion") {
    CHECK(is_true(ColumnKind::boolean, "1"));
    CHECK(is_true(ColumnKind::integer, "-1"));
    CHECK(is_true(ColumnKind::integer, "0010"));
    CHECK_FALSE(is_true(ColumnKind::integer, "0000"));
    CHECK_FALSE(is_true(ColumnKind::boolean, "0"));
    CHECK(is_true(ColumnKind::bit_boolean, std::string_view("\x01", 1)));
    CHECK_FALSE(is_true(ColumnKind::bit, std::string_view("\0\0", 2)));
}
