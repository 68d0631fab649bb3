// Every column type, as docs/column-types.md says.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;

namespace {

// The JSON text of one value of a column of this type; the whole way through a server.
std::string json_of(TestDatabase& database, std::string_view type, std::string_view value) {
    database.execute("DROP TABLE IF EXISTS history");
    database.make_history(fmt::format("{}, v {}", history_columns, type));
    database.execute(fmt::format("INSERT INTO history (entity_id, body, v) VALUES ('e', '{{}}', {})", value));
    config::Pipeline pipeline = TestDatabase::pipeline();
    pipeline.document.fields = {{"v", "v"}};
    const auto page = read_page(database.settings(), pipeline, everything());
    REQUIRE(page->rows().size() == 1);
    const std::string document(page->rows()[0].document);
    if (page->rows()[0].action != engine::Action::index) return std::string(page->rows()[0].error);
    REQUIRE(document.starts_with("{\"v\":"));
    return document.substr(5, document.size() - 6);
}

struct Case {
    const char* type;
    const char* value;
    const char* json;
};

}  // namespace

TEST_CASE("numbers come out as stored") {
    TestDatabase database;
    for (const Case& one : {
             Case{"TINYINT", "-128", "-128"},
             Case{"SMALLINT UNSIGNED", "65535", "65535"},
             Case{"MEDIUMINT", "-8388608", "-8388608"},
             Case{"INT(8) ZEROFILL", "42", "42"},
             Case{"BIGINT", "-9223372036854775808", "-9223372036854775808"},
             Case{"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
             Case{"DECIMAL(30,10)", "12345678901234567890.0123456789", "12345678901234567890.0123456789"},
             Case{"DECIMAL(10,2) ZEROFILL", "1.5", "1.50"},
             Case{"FLOAT", "0.1", "0.1"},
             Case{"FLOAT", "16777217.123", "16777218"},
             Case{"FLOAT", "1.17549435e-38", "1.1754944e-38"},
             Case{"FLOAT(10,2)", "1.1", "1.1"},
             Case{"DOUBLE", "0.1", "0.1"},
             Case{"DOUBLE", "0.30000000000000004", "0.30000000000000004"},
             Case{"DOUBLE", "1.7976931348623157e308", "1.7976931348623157e308"},
             Case{"DOUBLE", "-2.2250738585072014e-308", "-2.2250738585072014e-308"},
             Case{"BOOL", "TRUE", "true"},
             Case{"BOOL", "FALSE", "false"},
             Case{"BOOL", "5", "5"},
             Case{"BIT(1)", "b'1'", "true"},
             Case{"BIT(12)", "b'100000000001'", "2049"},
             Case{"YEAR", "2026", "2026"},
             Case{"INT", "NULL", "null"},
         }) {
        INFO(one.type << " " << one.value);
        CHECK(json_of(database, one.type, one.value) == one.json);
    }
}

TEST_CASE("times are ISO 8601") {
    TestDatabase database;
    database.execute("SET time_zone = '+02:00'");
    for (const Case& one : {
             Case{"DATE", "'2026-11-24'", R"("2026-11-24")"},
             Case{"DATE", "'0000-00-00'", "null"},
             Case{"TIME", "'-838:59:59'", R"("-838:59:59")"},
             Case{"TIME(3)", "'12:34:56.789'", R"("12:34:56.789")"},
             Case{"DATETIME", "'2026-11-24 02:15:04'", R"("2026-11-24T02:15:04")"},
             Case{"DATETIME(6)", "'2026-11-24 02:15:04.123456'", R"("2026-11-24T02:15:04.123456")"},
             Case{"DATETIME", "'0000-00-00 00:00:00'", "null"},
             Case{"TIMESTAMP NULL", "'2026-11-24 04:15:04'", R"("2026-11-24T02:15:04Z")"},
             Case{"TIMESTAMP(2) NULL", "'2026-11-24 04:15:04.12'", R"("2026-11-24T02:15:04.12Z")"},
         }) {
        INFO(one.type << " " << one.value);
        CHECK(json_of(database, one.type, one.value) == one.json);
    }
}

TEST_CASE("texts, lists, bytes and JSON") {
    TestDatabase database;
    for (const Case& one : {
             Case{"CHAR(5)", "'ab'", R"("ab")"},
             Case{"VARCHAR(20)", "'q\"\\\\\\n😀'", R"("q\"\\\n😀")"},
             Case{"VARCHAR(20) CHARACTER SET latin1", "'é'", R"("é")"},
             Case{"TEXT CHARACTER SET utf16", "'é'", R"("é")"},
             Case{"MEDIUMTEXT", "''", R"("")"},
             Case{"ENUM('x','')", "'x'", R"("x")"},
             Case{"SET('a','b','c')", "'a,c'", R"(["a","c"])"},
             Case{"SET('a','b','c')", "''", "[]"},
             Case{"BINARY(3)", "x'00ff'", R"("AP8A")"},
             Case{"VARBINARY(10)", "x'00ff'", R"("AP8=")"},
             Case{"BLOB", "''", R"("")"},
             Case{"UUID", "'123e4567-e89b-12d3-a456-426614174000'",
                  R"("123e4567-e89b-12d3-a456-426614174000")"},
             Case{"INET4", "'1.2.3.4'", R"("1.2.3.4")"},
             Case{"INET6", "'::1'", R"("::1")"},
             Case{"JSON", "' {\"a\":\\n[1]} '", R"({"a": [1]})"},
             Case{"JSON", "'\"s\"'", R"("s")"},
             Case{"JSON", "'null'", "null"},
             Case{"LONGTEXT", "'{\"a\":1}'", R"("{\"a\":1}")"},
             Case{"LONGTEXT CHECK (json_valid(v))", "'{\"a\":1}'", R"({"a":1})"},
             Case{"VARCHAR(20) AS (CONCAT(entity_id, '!'))", "DEFAULT", R"("e!")"},
         }) {
        INFO(one.type << " " << one.value);
        CHECK(json_of(database, one.type, one.value) == one.json);
    }
}

TEST_CASE("broken JSON in a JSON column makes no document") {
    TestDatabase database;
    database.execute("SET check_constraint_checks = 0");
    CHECK(json_of(database, "JSON", "'{\"a\":'") == "invalid_body");
}

TEST_CASE("without a body every column is a field") {
    TestDatabase database;
    database.make_history(
        "id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(20) NOT NULL, extra JSON, gone BOOL, KEY (word)");
    database.execute("INSERT INTO history (word, extra) VALUES ('a', '[1]')");
    config::Pipeline pipeline;
    pipeline.source.table = "history";
    pipeline.source.revision = "id";
    pipeline.source.entity = "word";
    pipeline.source.deleted = "gone";
    const auto page = read_page(database.settings(), pipeline, everything());
    REQUIRE(page->rows().size() == 1);
    CHECK(page->rows()[0].document == R"({"id":1,"word":"a","extra":[1],"gone":null})");
}
