// Outbox mode: changed entities with their present rows.
#include "source/outbox_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "tests/integration/source/outbox_world.h"
#include "tests/integration/source/private_server.h"

using namespace pawl;
using namespace pawl::test;
using engine::Action;
using engine::Interval;
using engine::IntervalSet;
using Told = std::vector<std::string>;

namespace {

engine::ReadRequest request_for(std::vector<Interval> intervals, std::uint32_t rows_max = 1'000'000,
                                std::uint64_t bytes_max = 1ULL << 40) {
    engine::ReadRequest request = all_changes(rows_max, bytes_max);
    request.revisions = IntervalSet(intervals);
    return request;
}

engine::Revision end_of(OutboxWorld& world) {
    const auto end = world.reader().history_end(world.connection());
    REQUIRE(end.has_value());
    return *end;
}

std::string count_of(source::Connection& connection, std::string_view status) {
    const auto rows = connection.rows(fmt::format("SHOW SESSION STATUS LIKE '{}'", status));
    REQUIRE(rows.has_value());
    return rows->front()[1].value_or("");
}

}  // namespace

TEST_CASE("outbox: an empty outbox gives an empty complete page") {
    OutboxWorld world;
    const auto page = world.read_all();
    CHECK(page->rows().empty());
    CHECK(page->seen.empty());
    CHECK(page->complete);
    CHECK(page->covered_through == journal::revision_max);
    CHECK(page->read_at > 0);
    CHECK(page->shape != 0);
    CHECK_FALSE(page->anchor);
    CHECK(end_of(world) == 0);
}

TEST_CASE("outbox: an entity comes as it is now, with its highest revision of the page, and once") {
    OutboxWorld world;
    world.put("'a'", R"({"n":1})");
    world.put("'b'", R"({"n":2})");
    world.put("'a'", R"({"n":3})");
    world.remove("id = 'b'", "'b'");
    world.put("'c'", R"({"n":5})");
    const auto page = world.read_all();
    CHECK(told(*page) == Told{R"(a@3 {"n":3})", "b@4 gone", R"(c@5 {"n":5})"});
    CHECK(page->rows()[1].document.empty());
    CHECK(page->seen == IntervalSet({{1, 5}}));
    CHECK(page->complete);
}

TEST_CASE("outbox: a version is of the rows that the page stands for, not of the whole outbox") {
    OutboxWorld world;
    world.put("'a'", R"({"n":1})");
    world.put("'a'", R"({"n":2})");
    world.put("'a'", R"({"n":3})");
    CHECK(told(*world.read(request_for({{1, 2}}))) == Told{R"(a@2 {"n":3})"});
    CHECK(told(*world.read(request_for({{1, 1}}))) == Told{R"(a@1 {"n":3})"});
    CHECK(told(*world.read(request_for({{3, 3}, {7, 9}}))) == Told{R"(a@3 {"n":3})"});
    // Also where the page ends earlier than was asked.
    world.put("'b'", R"({"n":4})");
    world.put("'a'", R"({"n":5})");
    const auto page = world.read(request_for({{1, journal::revision_max}}, 1));
    CHECK(told(*page) == Told{R"(a@3 {"n":5})"});
    CHECK(page->seen == IntervalSet({{1, 3}}));
    CHECK(page->covered_through == 3);
    CHECK_FALSE(page->complete);
}

TEST_CASE("outbox: rows that bytes_max cuts off take the later changes of those before with them") {
    OutboxWorld world;
    const std::string body = fmt::format(R"({{"t":"{}"}})", std::string(1'000, 'x'));
    for (const char* const entity : {"'a'", "'b'", "'c'", "'a'", "'b'"})
        world.put(entity, body);
    const auto page = world.read(request_for({{1, journal::revision_max}}, 100, 1'500));
    REQUIRE(page->rows().size() == 2);
    CHECK(page->rows()[0].revision == 1);
    CHECK(page->rows()[1].revision == 2);
    CHECK(page->covered_through == 2);
    CHECK(page->seen == IntervalSet({{1, 2}}));
    CHECK_FALSE(page->complete);
    const auto rest = world.read(request_for({{3, journal::revision_max}}, 100, 1'000'000));
    REQUIRE(rest->rows().size() == 3);
    CHECK(rest->rows()[0].entity == "c");
    CHECK(rest->rows()[1].revision == 4);
    CHECK(rest->complete);
    CHECK(world.read(request_for({{1, journal::revision_max}}, 100, 1))->rows().size() == 1);
}

TEST_CASE("outbox: a thousand changes of one row are one action, and its body is read once") {
    OutboxWorld world;
    world.put("'a'", R"({"n":1})");
    world.database().execute("INSERT INTO changed (entity) SELECT 'a' FROM seq_1_to_999");
    world.put("'b'", R"({"n":2})");
    const engine::Revision highest = end_of(world);
    world.connection();
    const auto before = std::stoull(count_of(world.connection(), "Bytes_sent"));
    world.database().execute(
        fmt::format("UPDATE lex SET body = '{{\"t\":\"{}\"}}'", std::string(50'000, 'x')));
    const auto page = world.read(request_for({{1, journal::revision_max}}, 2'000));
    const auto sent = std::stoull(count_of(world.connection(), "Bytes_sent")) - before;
    REQUIRE(page->rows().size() == 2);
    CHECK(page->rows()[0].revision == 1'000);
    CHECK(page->seen.count() == 1'001);
    CHECK(page->complete);
    CHECK(highest >= 1'001);
    CHECK(sent < 200'000);  // two bodies and a thousand ids
}

TEST_CASE("outbox: a page stands for a bounded number of rows") {
    OutboxWorld world;
    world.database().execute("INSERT INTO changed (entity) SELECT 'a' FROM seq_1_to_10000");
    const auto page = world.read(request_for({{1, journal::revision_max}}, 100));
    CHECK(page->seen == IntervalSet({{1, 4'096}}));
    CHECK(page->covered_through == 4'096);
    CHECK_FALSE(page->complete);
    CHECK(told(*page) == Told{"a@4096 gone"});
}

TEST_CASE("outbox: ids and rows are of one snapshot") {
    OutboxWorld world;
    Writer writer(world.database().settings());
    world.database().execute("INSERT INTO lex SELECT CONCAT('e', seq), '{\"n\":0}' FROM seq_1_to_50");
    world.database().execute("INSERT INTO changed (entity) SELECT CONCAT('e', seq) FROM seq_1_to_50");
    // A writer that changes a row and names it, over and over: a body n without its n-th change, or the other
    // way round, would be of another moment.
    std::atomic<bool> stop = false;
    std::thread changing([&] {
        for (int n = 1; !stop; ++n) {
            writer.execute("START TRANSACTION");
            writer.execute(fmt::format("UPDATE lex SET body = '{{\"n\":{}}}' WHERE id = 'e1'", n));
            writer.execute("INSERT INTO changed (entity) VALUES ('e1')");
            writer.execute("COMMIT");
        }
    });
    std::vector<std::string> wrong;
    for (int round = 0; round < 200; ++round) {
        auto request = all_changes(1'000'000);
        const auto page = world.read(request);
        const auto row = std::ranges::find(page->rows(), "e1", &engine::Row::entity);
        // 50 rows were there before, with gaps that a bulk insert leaves; each change adds one.
        const std::string expected = fmt::format("{{\"n\":{}}}", page->seen.count() - 50);
        if (row->document != expected && page->complete)
            wrong.push_back(fmt::format("{} {}", row->document, expected));
    }
    stop = true;
    changing.join();
    CHECK(wrong == Told{});
}

TEST_CASE("outbox: an id that is not committed is not there, and counts as handed out") {
    OutboxWorld world;
    Writer writer(world.database().settings());
    writer.execute("START TRANSACTION");
    writer.execute("INSERT INTO changed (entity) VALUES ('late')");
    world.put("'a'");
    const auto page = world.read_all();
    CHECK(page->seen == IntervalSet({{2, 2}}));
    CHECK(end_of(world) == 2);
    writer.execute("INSERT INTO changed (entity) VALUES ('later')");
    CHECK(end_of(world) == 3);
    writer.execute("ROLLBACK");
    CHECK(end_of(world) == 3);
}

TEST_CASE("outbox: what was handed out is known from the counter, whatever is left of the rows") {
    OutboxWorld world;
    for (const char* const entity : {"'a'", "'b'", "'c'"})
        world.change(entity);
    world.database().execute("DELETE FROM changed");
    CHECK(end_of(world) == 3);
    world.database().execute("OPTIMIZE TABLE changed");
    world.database().execute("ALTER TABLE changed FORCE");
    CHECK(end_of(world) == 3);
    Writer writer(world.database().settings());
    writer.execute("SET SESSION auto_increment_increment = 5, auto_increment_offset = 2");
    writer.execute("INSERT INTO changed (entity) VALUES ('d')");
    CHECK(end_of(world) >= 7);
    CHECK(world.ids() == "7");
    world.database().execute("UPDATE changed SET id = 300");
    CHECK(end_of(world) >= 300);
    engine::LookUpRequest request{.id = 1, .anchors = {}, .versions = {{"a", 3}, {"x", 300}, {"a", 1'000}}};
    const auto answer = world.reader().look_up(world.connection(), request);
    REQUIRE(answer.has_value());
    CHECK(answer->versions == std::vector<bool>{true, true, false});
    CHECK(answer->history_end >= 300);
    CHECK(answer->shape == world.reader().shape());
    world.database().execute("TRUNCATE changed");
    CHECK(end_of(world) == 0);
}

TEST_CASE("outbox: after a crash of the server the end is not below any id that was committed") {
    PrivateServer server;
    OutboxWorld world(server.settings(), {"id VARCHAR(50)"}, "id");
    for (const char* const entity : {"'a'", "'b'", "'c'"})
        world.change(entity);
    world.database().execute("DELETE FROM changed");
    server.kill();
    server.start();
    world.connect_as(world.settings());
    CHECK(end_of(world) == 3);
}

TEST_CASE("outbox: ids are read alone, and thousands of intervals too") {
    OutboxWorld world;
    world.database().execute("INSERT INTO lex SELECT CONCAT('e', seq), '{}' FROM seq_1_to_3000");
    world.database().execute(
        "INSERT INTO changed (id, entity) SELECT seq, CONCAT('e', seq) FROM seq_1_to_3000");
    std::vector<Interval> intervals;
    for (engine::Revision revision = 1; revision <= 3'000; revision += 3)
        intervals.push_back({revision, revision});
    intervals.push_back({40'000, 50'000});
    const auto page = world.read(request_for(intervals));
    CHECK(page->seen.count() == 1'000);
    CHECK(page->rows().size() == 1'000);
    CHECK(page->covered_through == 50'000);
    CHECK(page->complete);
    for (const engine::Row& row : page->rows())
        if (row.entity != fmt::format("e{}", row.revision)) FAIL(row.entity);
    const auto part = world.read(request_for(intervals, 100));
    CHECK(part->rows().size() == 100);
    CHECK(part->covered_through == 298);
    CHECK_FALSE(part->complete);
}

TEST_CASE("outbox: entities that can be no document come with a reason, and hold up none of the others") {
    OutboxWorld world({"id VARBINARY(600)"});
    world.put("'a'", R"({"n":1})");
    world.change("NULL");
    world.change("NULL");
    world.put("''");
    world.put("REPEAT('x', 513)");
    world.put("REPEAT('y', 512)", R"({"n":6})");
    world.put("X'ff'");
    world.put("'bad'", "no JSON");
    world.put("'z'", R"({"n":9})");
    const auto page = world.read_all();
    CHECK(page->complete);
    CHECK(page->seen == IntervalSet({{1, 9}}));
    CHECK(told(*page) == Told{R"(a@1 {"n":1})", "@3 entity_null", "@4 entity_empty",
                              std::string(513, 'x') + "@5 entity_too_long",
                              std::string(512, 'y') + R"(@6 {"n":6})", "\xff@7 entity_not_utf8",
                              "bad@8 invalid_body", R"(z@9 {"n":9})"});
}

TEST_CASE("outbox: an entity is its bytes, whatever the collation holds equal") {
    const auto type = GENERATE(as<std::string>(), "VARCHAR(50) COLLATE utf8mb4_general_ci", "CHAR(50)",
                               "VARCHAR(50) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
                               "VARCHAR(50) CHARACTER SET utf16", "VARCHAR(50) COLLATE utf8mb4_nopad_bin");
    CAPTURE(type);
    OutboxWorld world({"id " + type});
    world.put("'abc'", R"({"n":1})");
    // Renamed from 'abc' to 'ABC', which is no other key for the table.
    world.database().execute("UPDATE lex SET id = 'ABC', body = '{\"n\":2}'");
    world.change("'abc'");
    world.change("'ABC'");
    world.put("'åé'", R"({"n":4})");
    CHECK(told(*world.read_all()) == Told{"abc@2 gone", R"(ABC@3 {"n":2})", R"(åé@4 {"n":4})"});
}

TEST_CASE("outbox: keys of many types find their rows by the table's key") {
    struct Case {
        std::string type;
        std::string value;
        std::string id;
    };
    const auto key = GENERATE(values<Case>({
        {"INT", "-5", "-5"},
        {"INT(8) ZEROFILL", "7", "7"},
        {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
        {"BIGINT", "9007199254740993", "9007199254740993"},
        {"DECIMAL(20,2)", "12345678901234567.25", "12345678901234567.25"},
        {"UUID", "'123E4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000"},
        {"DATE", "'2024-02-29'", "2024-02-29"},
        {"DATETIME(3)", "'2024-02-29 12:00:00.125'", "2024-02-29 12:00:00.125"},
        {"BINARY(4)", "'abcd'", "abcd"},
        {"VARBINARY(20)", "'a''\\\\b'", "a'\\b"},
        {"CHAR(9)", "'ab  '", "ab"},
        {"VARCHAR(9)", "'ab  '", "ab  "},
        {"VARCHAR(20)", "'a''\"\\\\`b'", "a'\"\\`b"},
        {"INET6", "'::1'", "::1"},
    }));
    CAPTURE(key.type);
    OutboxWorld world({"id " + key.type});
    world.database().execute("INSERT IGNORE INTO lex SELECT seq + 100, '{\"n\":0}' FROM seq_1_to_2000");
    world.put(key.value, R"({"n":1})");
    CHECK(told(*world.read_all()) == Told{fmt::format(R"({}@1 {{"n":1}})", key.id)});
    const source::ChangedEntity asked[] = {{.first = 1, .id = "x"}, {.first = 2, .id = "y"}};
    const auto plan = world.connection().rows("EXPLAIN " + world.reader().present_statement(asked));
    REQUIRE(plan.has_value());
    REQUIRE(plan->size() == 2);
    CHECK(plan->at(1).at(2) == "present");
    CHECK(plan->at(1).at(3) == "eq_ref");
    CHECK(plan->at(1).at(5) == "PRIMARY");
    world.database().execute("DELETE FROM lex");
    CHECK(told(*world.read_all()) == Told{fmt::format("{}@1 gone", key.id)});
}

TEST_CASE("outbox: an outbox of looser types, as an application may make it, finds the rows too") {
    struct Case {
        std::string table;
        std::string outbox;
        std::string value;
        std::string id;
    };
    const auto key = GENERATE(values<Case>({
        {"INT", "VARCHAR(50)", "'17'", "17"},
        {"BIGINT UNSIGNED", "VARCHAR(50)", "'18446744073709551615'", "18446744073709551615"},
        {"INT", "BIGINT", "17", "17"},
        {"VARCHAR(20) COLLATE utf8mb4_bin", "VARCHAR(255) COLLATE utf8mb4_general_ci", "'aå'", "aå"},
        {"VARCHAR(20) CHARACTER SET latin1", "VARCHAR(255)", "'aå'", "aå"},
        {"UUID", "VARCHAR(50)", "'123e4567-e89b-12d3-a456-426655440000'",
         "123e4567-e89b-12d3-a456-426655440000"},
        {"VARBINARY(20)", "VARCHAR(50)", "'abc'", "abc"},
        {"VARCHAR(20)", "VARBINARY(50)", "'abc'", "abc"},
    }));
    CAPTURE(key.table, key.outbox);
    OutboxWorld world({"id " + key.table});
    world.database().execute("ALTER TABLE changed MODIFY entity " + key.outbox);
    world.database().execute("INSERT IGNORE INTO lex SELECT seq + 100, '{\"n\":0}' FROM seq_1_to_2000");
    world.put(key.value, R"({"n":1})");
    CHECK(told(*world.read_all()) == Told{fmt::format(R"({}@1 {{"n":1}})", key.id)});
    const source::ChangedEntity asked[] = {{.first = 1, .id = "x"}, {.first = 2, .id = "y"}};
    const auto plan = world.connection().rows("EXPLAIN " + world.reader().present_statement(asked));
    REQUIRE(plan.has_value());
    CHECK(plan->at(1).at(3) != "ALL");
    CHECK(plan->at(1).at(5) == "PRIMARY");
}

TEST_CASE("outbox: keys of several columns make one id, and one that two keys would share is refused") {
    OutboxWorld world({"tenant VARCHAR(20)", "id INT", "part VARCHAR(20)"}, "t-{tenant}/{id}:{part}");
    world.put("'a', 1, 'x'", R"({"n":1})");
    world.put("'a', 2, 'y:/z'", R"({"n":2})");
    world.put("'a/9:', 3, 'x'", R"({"n":3})");
    world.put("'', 4, ''", R"({"n":4})");
    world.change("'a', NULL, 'x'");
    world.remove("id = 1", "'a', 1, 'x'");
    const auto page = world.read_all();
    CHECK(told(*page) == Told{"t-a/1:x@6 gone", R"(t-a/2:y:/z@2 {"n":2})", "t-a/9:/3:x@3 entity_ambiguous",
                              R"(t-/4:@4 {"n":4})", "@5 entity_null"});
    const source::ChangedEntity asked[] = {{.first = 1, .id = "x"}, {.first = 2, .id = "y"}};
    const auto plan = world.connection().rows("EXPLAIN " + world.reader().present_statement(asked));
    REQUIRE(plan.has_value());
    CHECK(plan->at(1).at(3) == "eq_ref");
}

TEST_CASE("outbox: documents come from the view where there is one") {
    OutboxWorld world({"id VARCHAR(50)"});
    world.database().execute(
        "CREATE TABLE sense (id INT AUTO_INCREMENT PRIMARY KEY, lex VARCHAR(50), word TEXT, "
        "KEY (lex))");
    const std::string select = GENERATE(
        as<std::string>(),
        "SELECT lex.id, JSON_OBJECT('w', JSON_ARRAYAGG(sense.word ORDER BY sense.id)) AS body FROM lex LEFT "
        "JOIN sense ON sense.lex = lex.id GROUP BY lex.id",
        "SELECT id, JSON_OBJECT('w', (SELECT JSON_ARRAYAGG(word ORDER BY sense.id) FROM sense WHERE "
        "sense.lex = "
        "lex.id)) AS body FROM lex");
    CAPTURE(select);
    world.database().execute("CREATE VIEW entry AS " + select);
    world.pipeline().source.outbox->view = "entry";
    world.put("'a'");
    world.put("'b'");
    world.change("'c'");
    world.database().execute(
        "INSERT INTO sense (lex, word) VALUES ('a', 'one'), ('a', 'two'), ('b', 'three')");
    CHECK(told(*world.read_all()) ==
          Told{R"(a@1 {"w": ["one","two"]})", R"(b@2 {"w": ["three"]})", "c@3 gone"});
    world.database().execute("INSERT INTO lex SELECT CONCAT('e', seq), '{}' FROM seq_1_to_5000");
    world.database().execute("INSERT INTO sense (lex, word) SELECT CONCAT('e', seq), 'x' FROM seq_1_to_5000");
    world.database().execute("ANALYZE TABLE lex, sense");
    const source::ChangedEntity asked[] = {{.first = 1, .id = "x"}, {.first = 2, .id = "y"}};
    const auto plan = world.connection().rows("EXPLAIN " + world.reader().present_statement(asked));
    REQUIRE(plan.has_value());
    for (const auto& row : *plan)
        CHECK(row.at(3) != "ALL");
}

TEST_CASE("outbox: a view that gives several rows for an entity makes that entity invalid, and no other") {
    OutboxWorld world({"id VARCHAR(50)"});
    world.database().execute("CREATE TABLE sense (lex VARCHAR(50), body LONGTEXT, KEY (lex))");
    world.database().execute(
        "CREATE VIEW entry AS SELECT lex.id, sense.body FROM lex JOIN sense ON sense.lex = "
        "lex.id");
    world.pipeline().source.outbox->view = "entry";
    for (const char* const entity : {"'a'", "'b'", "'c'", "'d'"})
        world.put(entity);
    world.database().execute(
        "INSERT INTO sense VALUES ('a', '{\"n\":1}'), ('b', '{\"n\":2}'), ('b', '{\"n\":3}'), "
        "('d', '{\"n\":4}'), ('d', '{\"n\":5}'), ('d', '{\"n\":6}')");
    CHECK(told(*world.read_all()) ==
          Told{R"(a@1 {"n":1})", "b@2 several_rows", "c@3 gone", "d@4 several_rows"});
    // Also when the page ends there.
    CHECK(told(*world.read(request_for({{2, 4}}, 10, 1))) == Told{"b@2 several_rows"});
}

TEST_CASE("outbox: where the view fails for an entity, that one is invalid and the others go on") {
    OutboxWorld world({"id INT"});
    world.database().execute(
        "CREATE FUNCTION strict_body(id INT) RETURNS LONGTEXT DETERMINISTIC BEGIN "
        "IF id IN (77, 78, 500) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'; END IF; "
        "RETURN CONCAT('{\"n\":', id, '}'); END");
    world.database().execute("CREATE VIEW entry AS SELECT id, strict_body(id) AS body FROM lex");
    world.pipeline().source.outbox->view = "entry";
    world.database().execute("INSERT INTO lex SELECT seq, '' FROM seq_1_to_1000");
    world.database().execute("INSERT INTO changed (id, entity) SELECT seq, seq FROM seq_1_to_1000");
    const auto page = world.read_all();
    REQUIRE(page->rows().size() == 1'000);
    CHECK(page->complete);
    std::set<std::string> failed;
    for (const engine::Row& row : page->rows()) {
        if (row.action == Action::invalid) failed.insert(std::string(row.entity));
        if (row.action == Action::index && row.document != fmt::format("{{\"n\":{}}}", row.entity))
            FAIL(row.entity);
    }
    CHECK(failed == std::set<std::string>{"77", "78", "500"});
    CHECK(page->rows()[76].error == "row_failed");
    CHECK(std::string(page->rows()[76].document).find("not today") != std::string::npos);
}

TEST_CASE("outbox: an error that is not a value's ends the read, however many entities there are") {
    OutboxWorld world({"id INT"});
    world.database().execute(
        "CREATE VIEW entry AS SELECT lex.id, other.body FROM lex JOIN lex AS other ON other.id = lex.id");
    world.pipeline().source.outbox->view = "entry";
    world.put("1");
    world.reader();
    world.database().execute("DROP VIEW entry");
    const auto failed = world.reader().read(world.connection(), all_changes());
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().kind == ErrorKind::invalid);
}
