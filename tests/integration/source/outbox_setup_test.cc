// Making and removing an outbox: idempotent, for any names, and nothing of other people's is touched.
#include "source/outbox_setup.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "source/sql.h"
#include "source/table.h"
#include "tests/integration/source/triggered_outbox.h"

using namespace pawl;
using namespace pawl::test;

namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view lex_sql = "CREATE TABLE lex (id INT PRIMARY KEY, word VARCHAR(20))";

std::string error_of(TestDatabase& database, const config::Pipeline& pipeline) {
    const auto steps = source::outbox_setup(database.connection(), database.name(), pipeline.source);
    REQUIRE_FALSE(steps);
    return to_line(steps.error());
}

Result<std::vector<source::SetupStep>> removal(TestDatabase& database, const config::Pipeline& pipeline,
                                               bool with_rows = false) {
    return source::outbox_removal(database.connection(), database.name(), pipeline.source, with_rows);
}

void carry_out_all(TestDatabase& database, const std::vector<source::SetupStep>& steps) {
    for (const auto& step : steps)
        if (const auto done = source::carry_out(database.connection(), step); !done)
            FAIL(to_line(done.error()));
}

}  // namespace

TEST_CASE("what is there already is not made again, and could be without harm") {
    TestDatabase database;
    database.execute(lex_sql);
    const auto pipeline = outbox_pipeline();
    CHECK(set_up(database, pipeline).size() == 5);
    database.execute("INSERT INTO lex VALUES (1, 'a')");
    CHECK(set_up(database, pipeline).empty());
    const auto steps = source::outbox_setup(database.connection(), database.name(), pipeline.source);
    REQUIRE(steps);
    carry_out_all(database, *steps);
    database.execute("UPDATE lex SET word = 'b'");
    CHECK(take_outbox(database, pipeline) == Texts{"1", "1"});
}

TEST_CASE("what is missing or outdated is made as the config wants it") {
    TestDatabase database;
    database.execute(lex_sql);
    const auto pipeline = outbox_pipeline();
    set_up(database, pipeline);
    database.execute("DROP TRIGGER pawl_lex_delete");
    // The body alone would be right.
    database.execute(
        "CREATE OR REPLACE TRIGGER pawl_lex_insert BEFORE INSERT ON lex FOR EACH ROW "
        "INSERT INTO `pawl_outbox_lex` (`entity`) VALUES (NEW.`id`)");
    CHECK(set_up(database, pipeline) == Texts{"privileges for the triggers on " + database.name() + ".lex",
                                              "trigger pawl_lex_insert on " + database.name() + ".lex",
                                              "trigger pawl_lex_delete on " + database.name() + ".lex"});
    CHECK(set_up(database, pipeline).empty());
}

TEST_CASE("an outbox that is not there yet can be printed for a user who may not see it") {
    TestDatabase database;
    database.execute(lex_sql);
    const auto pipeline = outbox_pipeline();
    source::Interrupt interrupt;
    auto user = source::Connection::open(database.user_with({"SELECT, TRIGGER ON {}.lex"}), interrupt);
    REQUIRE(user);
    const auto steps = source::outbox_setup(*user, database.name(), pipeline.source);
    REQUIRE(steps);
    const auto refused = source::carry_out(*user, steps->front());
    REQUIRE_FALSE(refused);
    CHECK_THAT(to_line(refused.error()), Catch::Contains("GRANT CREATE"));
    carry_out_all(database, *steps);
    CHECK(set_up(database, pipeline).empty());
    const auto again = source::outbox_setup(*user, database.name(), pipeline.source);
    REQUIRE(again);
    carry_out_all(database, *again);
}

TEST_CASE("other people's triggers stay, whatever their event") {
    TestDatabase database;
    database.execute(lex_sql);
    database.execute("CREATE TABLE audit (id INT)");
    database.execute(
        "CREATE TRIGGER theirs AFTER INSERT ON lex FOR EACH ROW INSERT INTO audit VALUES (NEW.id)");
    const auto pipeline = outbox_pipeline();
    set_up(database, pipeline);
    database.execute("INSERT INTO lex VALUES (1, 'a')");
    CHECK(database.value("SELECT COUNT(*) FROM audit") == "1");
    CHECK(take_outbox(database, pipeline) == Texts{"1"});
    const auto steps = removal(database, pipeline);
    REQUIRE(steps);
    carry_out_all(database, *steps);
    database.execute("INSERT INTO lex VALUES (2, 'a')");
    CHECK(database.value("SELECT COUNT(*) FROM audit") == "2");
}

TEST_CASE("a trigger of one of pawl's names that is not pawl's is not replaced") {
    TestDatabase database;
    database.execute(lex_sql);
    database.execute("CREATE TABLE audit (id INT)");
    database.execute(
        "CREATE TRIGGER pawl_lex_insert AFTER INSERT ON lex FOR EACH ROW INSERT INTO audit VALUES (NEW.id)");
    CHECK_THAT(error_of(database, outbox_pipeline()), Catch::Contains("pawl_lex_insert"));
    CHECK_FALSE(removal(database, outbox_pipeline()));
    CHECK(database.value(
              "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()") == "1");
}

TEST_CASE("two pipelines of one table live side by side") {
    TestDatabase database;
    database.execute(lex_sql);
    database.execute("CREATE TABLE sense (id INT PRIMARY KEY, lex_id INT)");
    auto first = outbox_pipeline();
    first.source.outbox->joined = {joined_table("sense", {"lex_id"})};
    auto second = outbox_pipeline();
    second.source.outbox->table = "second";
    const auto third = outbox_pipeline({"id"}, "sense");
    for (const auto& pipeline : {first, second, third})
        set_up(database, pipeline);
    for (const auto& pipeline : {first, second, third})
        CHECK(set_up(database, pipeline).empty());
    database.execute("INSERT INTO lex VALUES (1, 'a')");
    database.execute("INSERT INTO sense VALUES (5, 1)");
    CHECK(take_outbox(database, first) == Texts{"1", "1"});
    CHECK(take_outbox(database, second) == Texts{"1"});
    CHECK(take_outbox(database, third) == Texts{"5"});
}

TEST_CASE("a removal takes all away, and nothing when there is nothing") {
    TestDatabase database;
    database.execute(lex_sql);
    const auto pipeline = outbox_pipeline();
    set_up(database, pipeline);
    auto steps = removal(database, pipeline);
    REQUIRE(steps);
    CHECK(steps->back().what == "table " + database.name() + ".pawl_outbox_lex");
    carry_out_all(database, *steps);
    database.execute("INSERT INTO lex VALUES (1, 'a')");
    CHECK(database.value("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()") ==
          "1");
    steps = removal(database, pipeline);
    REQUIRE(steps);
    for (const auto& step : *steps)
        CHECK(step.is_done);
    carry_out_all(database, *steps);
}

TEST_CASE("an outbox with rows, or with somebody else's trigger on it, is not removed") {
    TestDatabase database;
    database.execute(lex_sql);
    database.execute("CREATE TABLE other (id INT PRIMARY KEY)");
    const auto pipeline = outbox_pipeline();
    set_up(database, pipeline);
    database.execute("INSERT INTO lex VALUES (1, 'a')");
    auto steps = removal(database, pipeline);
    REQUIRE_FALSE(steps);
    CHECK(steps.error().kind == ErrorKind::decision);
    CHECK_THAT(to_line(steps.error()), Catch::Contains("still has rows"));
    CHECK(removal(database, pipeline, true));
    database.execute(
        "CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW "
        "INSERT INTO pawl_outbox_lex (entity) VALUES (NEW.id)");
    steps = removal(database, pipeline, true);
    REQUIRE_FALSE(steps);
    CHECK_THAT(to_line(steps.error()), Catch::Contains("trigger t on other"));
}

TEST_CASE("names with quotes, backticks, spaces and other letters, and of 64 characters") {
    const auto table = GENERATE(as<std::string>(), "a`b", "a\"b'c", "a b;c", "ordböcker å", "a\\", "$$",
                                "A.b/c", std::string(64, 't'), std::string(63, 't') + "å");
    CAPTURE(table);
    TestDatabase database;
    const auto pipeline = outbox_pipeline({"k`1 \"ö\"", std::string(64, 'k')}, table);
    const std::string name = source::identifier(table);
    database.execute(
        fmt::format("CREATE TABLE {0} ({1} INT, `{2}` VARCHAR(9), v INT, PRIMARY KEY ({1}, `{2}`))", name,
                    "`k``1 \"ö\"`", std::string(64, 'k')));
    set_up(database, pipeline);
    CHECK(set_up(database, pipeline).empty());
    database.execute(fmt::format("INSERT INTO {} VALUES (1, 'x', 0)", name));
    database.execute(fmt::format("UPDATE {} SET `{}` = 'y'", name, std::string(64, 'k')));
    database.execute(fmt::format("DELETE FROM {}", name));
    CHECK(take_outbox(database, pipeline) == Texts{"1/x", "1/y", "1/x", "1/y"});
    const auto steps = removal(database, pipeline);
    REQUIRE(steps);
    carry_out_all(database, *steps);
    database.execute(fmt::format("INSERT INTO {} VALUES (1, 'x', 0)", name));
}

TEST_CASE("every type that a key can have fits, at the ends of its range") {
    struct Case {
        std::string type;
        std::string values;
        Texts keys;
    };
    const auto [type, values, keys] = GENERATE(
        Case{"TINYINT", "(-128), (127)", {"-128", "127"}}, Case{"TINYINT(1)", "(-1), (7)", {"-1", "7"}},
        Case{"BIGINT UNSIGNED", "(0), (18446744073709551615)", {"0", "18446744073709551615"}},
        Case{"BIGINT", "(-9223372036854775808)", {"-9223372036854775808"}},
        Case{"INT(5) UNSIGNED ZEROFILL", "(7), (4294967295)", {"00007", "4294967295"}},
        Case{"CHAR(3)", "('a'), ('abc')", {"a", "abc"}},
        Case{"VARCHAR(3) CHARACTER SET latin1 COLLATE latin1_german2_ci", "('äöü')", {"äöü"}},
        Case{"VARCHAR(3) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", "('🔧 '), ('🔧')", {"🔧", "🔧 "}},
        Case{"VARCHAR(700) CHARACTER SET utf16", "(REPEAT('å', 3))", {"ååå"}},
        Case{"UUID", "('123e4567-e89b-12d3-a456-426655440000')", {"123e4567-e89b-12d3-a456-426655440000"}});
    CAPTURE(type);
    TestDatabase database;
    database.execute(fmt::format("CREATE TABLE lex (id {} PRIMARY KEY)", type));
    const auto pipeline = outbox_pipeline();
    set_up(database, pipeline);
    database.execute("INSERT INTO lex VALUES " + values);
    auto found = take_outbox(database, pipeline);
    std::ranges::sort(found);
    CHECK(found == keys);
    CHECK(set_up(database, pipeline).empty());
}

TEST_CASE("tables that do not fit are refused before anything is made") {
    TestDatabase database;
    database.execute(lex_sql);
    database.execute("CREATE TABLE sense (id BIGINT PRIMARY KEY, lex_id BIGINT)");
    auto pipeline = outbox_pipeline({"word"});
    CHECK_THAT(error_of(database, pipeline),
               Catch::Contains("must be NOT NULL") && Catch::Contains("no PRIMARY"));
    CHECK_THAT(error_of(database, outbox_pipeline({"idd"})), Catch::Contains("no column 'idd'"));
    CHECK_THAT(error_of(database, outbox_pipeline({"id"}, "lexx")),
               Catch::Contains("there is no table") && Catch::Contains("pipeline.source.table"));
    pipeline = outbox_pipeline();
    pipeline.source.outbox->joined = {joined_table("sense", {"lex_id"})};
    CHECK_THAT(error_of(database, pipeline), Catch::Contains("does not always fit into lex.id"));
    database.execute("CREATE TABLE pawl_outbox_lex (id INT, entity VARCHAR(9))");
    CHECK_THAT(error_of(database, outbox_pipeline()),
               Catch::Contains("AUTO_INCREMENT") && Catch::Contains("MODIFY `entity` int(11) NOT NULL"));
}

TEST_CASE("a user without the privileges that a definer needs makes no trigger") {
    TestDatabase database;
    database.execute(lex_sql);
    const auto grants =
        GENERATE(Texts{"CREATE, TRIGGER, SELECT ON {}.*"},  // no INSERT on the outbox
                 Texts{"TRIGGER, SELECT ON {}.lex"},        // no CREATE
                 Texts{"CREATE, INSERT, TRIGGER ON {}.*", "SELECT (word) ON {}.lex"},  // no SELECT on the key
                 Texts{"CREATE, INSERT, SELECT ON {}.*"});                             // no TRIGGER
    CAPTURE(grants);
    Writer user(database.user_with(grants));
    const auto pipeline = outbox_pipeline();
    const auto steps = source::outbox_setup(user.connection(), database.name(), pipeline.source);
    Result<void> done{};
    if (!steps) done = std::unexpected(steps.error());
    if (steps)
        for (const auto& step : *steps)
            if (done) done = source::carry_out(user.connection(), step);
    REQUIRE_FALSE(done);
    CHECK(exit_code_of(done.error().kind) == 2);
    CHECK_THAT(to_line(done.error()), Catch::Contains("GRANT"));
    database.execute("INSERT INTO lex VALUES (1, 'a')");
}

TEST_CASE("a transaction that stays open makes outbox-sql give up, not the writers behind it") {
    TestDatabase database;
    database.execute(lex_sql);
    Writer writer(database.settings());
    writer.execute("BEGIN");
    writer.execute("INSERT INTO lex VALUES (1, 'a')");
    const auto pipeline = outbox_pipeline();
    const auto steps = source::outbox_setup(database.connection(), database.name(), pipeline.source);
    REQUIRE(steps);
    Result<void> done{};
    for (const auto& step : *steps)
        if (done) done = source::carry_out(database.connection(), step);
    REQUIRE_FALSE(done);
    CHECK_THAT(to_line(done.error()), Catch::Contains("has been open for 10 s"));
    writer.execute("COMMIT");
    set_up(database, pipeline);
}
