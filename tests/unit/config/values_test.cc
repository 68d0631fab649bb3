#include "config/values.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::config;

TEST_CASE("a duration is a whole number and a unit") {
    CHECK(parse_duration("500ms") == 500);
    CHECK(parse_duration("10s") == 10'000);
    CHECK(parse_duration("5m") == 300'000);
    CHECK(parse_duration("1h") == 3'600'000);
    for (const char* text : {"", "5", "s", "-5s", "+5s", "1.5s", "5 s", "5S", "5d", "99999999999999999999ms",
                             "9999999999999999h"})
        CHECK_FALSE(parse_duration(text));
}

TEST_CASE("a size is a number of bytes or of binary units") {
    CHECK(parse_size("4MiB") == 4ULL << 20);
    CHECK(parse_size("64KiB") == 64ULL << 10);
    CHECK(parse_size("1GiB") == 1ULL << 30);
    CHECK(parse_size("7B") == 7U);
    CHECK(parse_size("7") == 7U);
    for (const char* text : {"", "MiB", "4MB", "4 MiB", "-1", "4mib", "99999999999GiB"})
        CHECK_FALSE(parse_size(text));
}

TEST_CASE("durations and sizes survive being printed and read") {
    CHECK(to_duration(90'000) == "90s");
    CHECK(to_size(4ULL << 20) == "4MiB");
    REQUIRE(rc::check([](std::uint32_t number) {
        RC_ASSERT(parse_duration(to_duration(number)) == static_cast<TimeMs>(number));
        RC_ASSERT(parse_size(to_size(number)) == std::uint64_t{number});
    }));
}

TEST_CASE("variables are put in once, and $${ is a plain ${") {
    ::setenv("PAWL_TEST_A", "${PAWL_TEST_A}", 1);
    CHECK(expand("x${PAWL_TEST_A}y").value() == "x${PAWL_TEST_A}y");
    CHECK(expand("$${PAWL_TEST_A}").value() == "${PAWL_TEST_A}");
    CHECK(expand("$5 and }").value() == "$5 and }");
    for (const char* text : {"${", "${}", "${A", "${1A}", "${A B}"})
        CHECK(expand(text).error().message == "found \"${\" without a variable's name and \"}\" after it");
    CHECK(is_variable("${A_1}"));
    for (const char* text : {"", "${}", "${A", "x${A}", "${A}${B}", "$${A}"})
        CHECK_FALSE(is_variable(text));
}

TEST_CASE("the nearest key is the one with the fewest changes, if it is near at all") {
    CHECK(nearest("pasword", {"user", "password", "password_file"}) == "password");
    CHECK(nearest("prot", {"host", "port"}) == "port");
    CHECK(nearest("listen_address", {"listen"}).empty());
    CHECK(nearest("x", {}).empty());
}

TEST_CASE("addresses and urls are looked at before anybody connects to them") {
    for (const char* text : {"127.0.0.1:9187", "localhost:1", "[::1]:9187"})
        CHECK(is_listen_address(text));
    for (const char* text :
         {"", "9187", ":9187", "h:", "h:0", "h:65536", "h:+1", "[::1]", "[]:1", "a b:1", "h:1/x"})
        CHECK_FALSE(is_listen_address(text));
    for (const char* text : {"http://h", "https://h:9200", "http://[::1]:9200/a/b"})
        CHECK(is_server_url(text));
    for (const char* text :
         {"h:9200", "ftp://h", "http://", "http:///x", "http://h?x", "http://h/a b", "http://h:x"})
        CHECK_FALSE(is_server_url(text));
}

TEST_CASE("a name that is too long for MariaDB is cut between characters and stays one of its own") {
    const std::string longest(64, 'x');
    CHECK(bounded_identifier(longest) == longest);
    const std::string cut = bounded_identifier(longest + "a");
    CHECK(cut.size() == 64);
    CHECK(cut.starts_with(std::string(47, 'x') + "_"));
    CHECK(cut != bounded_identifier(longest + "b"));
    std::string umlauts;
    for (int count = 0; count < 64; ++count)
        umlauts += "ä";
    CHECK(bounded_identifier(umlauts) == umlauts);
    CHECK(bounded_identifier(umlauts + "ä").starts_with(umlauts.substr(0, 94) + "_"));
    CHECK(bounded_identifier(umlauts + "ä").size() == 94 + 17);
}
