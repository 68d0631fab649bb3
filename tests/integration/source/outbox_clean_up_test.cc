// Outbox mode: rows are taken out of the outbox beside writers that never notice.
#include "source/outbox_clean_up.h"

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "tests/integration/source/outbox_world.h"
#include "tests/integration/source/private_server.h"

using namespace pawl;
using namespace pawl::test;
using engine::IntervalSet;
using engine::Revision;

namespace {

engine::CleanUpRequest done(std::vector<engine::Interval> intervals) {
    engine::CleanUpRequest request{.id = 7, .done = IntervalSet(intervals), .renew = {}};
    request.rows_max = 1'000;
    return request;
}

engine::CleanUpRequest renew(std::vector<engine::Interval> intervals) {
    engine::CleanUpRequest request{.id = 8, .done = {}, .renew = IntervalSet(intervals)};
    request.rows_max = 1'000;
    return request;
}

// The rows of the outbox as "3:a,4:b".
std::string rows_of(OutboxWorld& world) {
    return world.database().value(
        "SELECT GROUP_CONCAT(CONCAT(id, ':', COALESCE(entity, 'NULL')) ORDER BY id) FROM changed");
}

std::string lock_waits(OutboxWorld& world) {
    return world.database().value(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
        "'INNODB_ROW_LOCK_WAITS'");
}

// Waits until some statement of this server waits for a lock. (information_schema.INNODB_TRX is a copy that
// is not renewed as long as somebody reads it again and again.)
void wait_for_a_waiting_statement(OutboxWorld& world) {
    constexpr int looks_max = 200'000;
    for (int look = 0; look < looks_max; ++look) {
        const std::string waiting = world.database().value(
            "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
            "'INNODB_ROW_LOCK_CURRENT_WAITS'");
        if (waiting != "0") return;
        std::this_thread::yield();
    }
    FAIL("no statement waits for a lock");
}

}  // namespace

TEST_CASE("clean-up: what is done goes, by its ids and no others; a second time is as good") {
    OutboxWorld world;
    for (const char* const entity : {"'a'", "'b'", "'c'", "'d'", "'e'"})
        world.change(entity);
    const auto cleaned = world.clean_up(done({{1, 2}, {4, 4}, {9, 10}}));
    CHECK(cleaned.id == 7);
    CHECK(cleaned.late == 0);
    CHECK_FALSE(cleaned.more_late);
    CHECK(rows_of(world) == "3:c,5:e");
    world.clean_up(done({{1, 2}, {4, 4}, {9, 10}}));
    CHECK(rows_of(world) == "3:c,5:e");
}

TEST_CASE("clean-up: thousands of rows go in portions of one transaction") {
    OutboxWorld world;
    world.database().execute("INSERT INTO changed (id, entity) SELECT seq, 'a' FROM seq_1_to_5000");
    world.clean_up(done({{1, 1'200}, {1'202, 4'999}}));
    CHECK(world.ids() == "1201,5000");
}

TEST_CASE("clean-up: a renewed row comes again as a new one, as far as it was there") {
    OutboxWorld world;
    for (const char* const entity : {"'a'", "'b'", "NULL", "'d'"})
        world.change(entity);
    world.clean_up(renew({{2, 3}, {20, 30}}));
    CHECK(rows_of(world) == "1:a,4:d,5:b,6:NULL");
    world.clean_up(renew({{2, 3}}));
    CHECK(rows_of(world) == "1:a,4:d,5:b,6:NULL");
}

TEST_CASE("clean-up: entities get new rows, each its own") {
    SECTION("with a key of one column") {
        OutboxWorld world;
        auto request = done({});
        request.entities = {"a", "b'\\\"`", "åß", ""};
        world.clean_up(request);
        CHECK(rows_of(world) == "1:a,2:b'\\\"`,3:åß,4:");
    }
    SECTION("with numbers, of which some ids are none") {
        OutboxWorld world({"id INT"});
        auto request = done({});
        request.entities = {"17", "word", "-3"};
        world.clean_up(request);
        CHECK(rows_of(world) == "1:17,2:0,3:-3");
    }
    SECTION("with a key of several columns") {
        OutboxWorld world({"tenant VARCHAR(20) CHARACTER SET latin1", "id INT"}, "{tenant}/{id}");
        auto request = done({});
        request.entities = {"å/1", "no template", "b/c/2"};
        world.clean_up(request);
        CHECK(world.database().value(
                  "SELECT GROUP_CONCAT(CONCAT(entity_tenant, '|', entity_id) ORDER BY id) FROM "
                  "changed") == "å|1,b|0");
    }
}

TEST_CASE("clean-up: late rows are renewed, lowest first and so many at a time") {
    OutboxWorld world;
    for (int entity = 1; entity <= 10; ++entity)
        world.change(fmt::format("'e{}'", entity));
    auto request = done({{1, 2}, {5, 5}});
    request.renew = IntervalSet({{3, 3}});
    request.known = IntervalSet({{7, 7}});
    request.late_through = 9;
    request.rows_max = 2;
    const auto cleaned = world.clean_up(request);  // 4, 6, 8 and 9 are late
    CHECK(cleaned.late == 2);
    CHECK(cleaned.more_late);
    CHECK(world.ids() == "7,8,9,10,11,12,13");
    const auto rest = world.clean_up(request);
    CHECK(rest.late == 2);
    CHECK_FALSE(rest.more_late);
    CHECK(rows_of(world) == "7:e7,10:e10,11:e3,12:e4,13:e6,14:e8,15:e9");
    CHECK(world.clean_up(request).late == 0);
}

TEST_CASE("clean-up: late rows are found among more known ones than a statement can name") {
    OutboxWorld world;
    world.database().execute("INSERT INTO changed (id, entity) SELECT 2 * seq, 'known' FROM seq_1_to_3000");
    world.database().execute("INSERT INTO changed (id, entity) VALUES (1, 'x'), (777, 'y'), (5999, 'z')");
    auto request = done({});
    for (Revision revision = 2; revision <= 6'000; revision += 2)
        request.known.insert(revision);
    request.late_through = 6'000;
    request.rows_max = 2;
    auto cleaned = world.clean_up(request);
    CHECK(cleaned.late == 2);
    CHECK(cleaned.more_late);
    cleaned = world.clean_up(request);
    CHECK(cleaned.late == 1);
    CHECK_FALSE(cleaned.more_late);
    CHECK(world.database().value("SELECT GROUP_CONCAT(entity ORDER BY id) FROM changed WHERE id > 6000") ==
          "x,y,z");
}

TEST_CASE("clean-up: a row that commits late, below what was read, is renewed once and read") {
    OutboxWorld world;
    Writer writer(world.database().settings());
    writer.execute("START TRANSACTION");
    writer.execute("INSERT INTO lex VALUES ('late', '{}')");
    writer.execute("INSERT INTO changed (entity) VALUES ('late')");
    world.put("'a'");
    world.put("'b'");
    const auto page = world.read_all();
    REQUIRE(page->seen == IntervalSet({{2, 3}}));
    auto request = done({{2, 3}});
    request.late_through = 3;
    CHECK(world.clean_up(request).late == 0);
    writer.execute("COMMIT");
    CHECK(rows_of(world) == "1:late");
    CHECK(world.clean_up(request).late == 1);
    CHECK(world.clean_up(request).late == 0);
    CHECK(told(*world.read_all()) == std::vector<std::string>{"late@4 {}"});
}

// They look like late ones, and would get ids above those that were read before.
TEST_CASE("clean-up: rows of an outbox that was truncated are not renewed") {
    OutboxWorld world;
    for (const char* const entity : {"'a'", "'b'", "'c'", "'d'", "'e'"})
        world.change(entity);
    world.database().execute("TRUNCATE changed");
    world.change("'f'");
    world.change("'g'");
    auto request = done({});
    request.late_through = 5;
    const auto refused = world.try_clean_up(request);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::unavailable);
    CHECK_THAT(refused.error().message, Catch::Contains("end at 2, but rows up to 5 were read"));
    CHECK(rows_of(world) == "1:f,2:g");
    CHECK(*world.reader().history_end(world.connection()) == 2);
}

TEST_CASE("clean-up: waits for no writer, and makes none wait") {
    PrivateServer server;
    const int others = GENERATE(0, 3, 5'000);  // how many rows the server may rather read than look up
    OutboxWorld world(server.settings(), {"id VARCHAR(50)"}, "id");
    world.database().execute("INSERT INTO changed (entity) VALUES ('a'), ('b'), ('c')");
    std::vector<std::unique_ptr<Writer>> writers;
    const auto open_writer = [&] {
        writers.push_back(std::make_unique<Writer>(world.database().settings()));
        writers.back()->execute("START TRANSACTION");
        writers.back()->execute("INSERT INTO changed (entity) VALUES ('open')");
    };
    open_writer();  // 4, behind a run
    world.database().execute("INSERT INTO changed (entity) VALUES ('d')");
    open_writer();  // 6, the last one
    if (others > 0)
        world.database().execute(
            fmt::format("INSERT INTO changed (id, entity) SELECT seq + 100, 'e' FROM seq_1_to_{}", others));
    world.database().execute("ANALYZE TABLE changed");
    const std::string before = lock_waits(world);
    auto request = done({{2, 3}, {5, 5}, {50, 60}});
    request.renew = IntervalSet({{1, 1}});
    request.entities = {"x"};
    request.late_through = 6;
    const auto cleaned = world.try_clean_up(request);
    REQUIRE(cleaned.has_value());
    CHECK(cleaned->late == 0);
    CHECK(lock_waits(world) == before);
    for (const auto& writer : writers)
        writer->execute("COMMIT");
    CHECK(world.database().value("SELECT GROUP_CONCAT(id ORDER BY id) FROM changed WHERE id <= 6") == "4,6");
}

TEST_CASE(
    "clean-up: an open one holds up no writer; what it must wait for itself ends it soon, without a trace") {
    PrivateServer server;
    OutboxWorld world(server.settings(), {"id VARCHAR(50)"}, "id");
    world.database().execute("INSERT INTO changed (id, entity) SELECT seq, 'a' FROM seq_1_to_2000");
    world.database().execute("INSERT INTO changed (id, entity) VALUES (5000, 'b')");
    world.cleaner();
    const auto session = world.connection().rows("SELECT CONNECTION_ID()");
    REQUIRE(session.has_value());
    const std::string connection_id = session->front()[0].value_or("");
    // Somebody holds a row of the last portion.
    Writer holder(world.database().settings());
    holder.execute("START TRANSACTION");
    holder.execute("SELECT id FROM changed WHERE id = 5000 FOR UPDATE");
    auto request = done({{1, 2'400}, {5'000, 5'000}});
    request.renew = IntervalSet({{3, 3}});
    request.entities = {"x"};
    auto cleaning = std::async(std::launch::async, [&] { return world.try_clean_up(request); });
    wait_for_a_waiting_statement(world);
    const std::string waits = lock_waits(world);
    // It has deleted rows and looked for some that are not there; others come where those would have been,
    // and behind all.
    Writer writer(world.database().settings());
    writer.execute("SET SESSION innodb_lock_wait_timeout = 1");
    for (int count = 0; count < 10; ++count) {
        writer.execute("INSERT INTO changed (entity) VALUES ('new')");
        writer.execute(fmt::format("INSERT INTO changed (id, entity) VALUES ({}, 'new')", 2'500 + count));
    }
    CHECK(lock_waits(world) == waits);
    SECTION("a lock that does not come") {
        const auto cleaned = cleaning.get();
        REQUIRE_FALSE(cleaned.has_value());
        CHECK(cleaned.error().kind == ErrorKind::unavailable);
        CHECK(cleaned.error().message.find("1205") != std::string::npos);
    }
    SECTION("a connection that is killed") {
        world.database().execute(fmt::format("KILL {}", connection_id));
        const auto cleaned = cleaning.get();
        REQUIRE_FALSE(cleaned.has_value());
        CHECK(cleaned.error().kind == ErrorKind::unavailable);
    }
    holder.execute("ROLLBACK");
    CHECK(world.database().value("SELECT COUNT(*) FROM changed WHERE entity = 'a'") == "2000");
    CHECK(world.database().value("SELECT COUNT(*) FROM changed WHERE entity = 'x'") == "0");
    world.clean_up(request);
    CHECK(world.database().value("SELECT COUNT(*) FROM changed WHERE entity = 'a'") == "1");
    CHECK(world.database().value("SELECT COUNT(*) FROM changed WHERE entity = 'b'") == "0");
    CHECK(world.database().value("SELECT COUNT(*) FROM changed WHERE entity = 'x'") == "1");
    CHECK(world.database().value("SELECT COUNT(*) FROM changed WHERE entity = 'new'") == "20");
}

TEST_CASE(
    "clean-up: a writer's long INSERT … SELECT into the outbox is not waited for longer than a moment") {
    PrivateServer server;
    OutboxWorld world(server.settings(), {"id VARCHAR(50)"}, "id");
    world.change("'a'");
    world.cleaner();
    world.database().execute("CREATE TABLE gate (n INT PRIMARY KEY)");
    world.database().execute("INSERT INTO gate VALUES (1)");
    Writer holder(world.database().settings());
    holder.execute("START TRANSACTION");
    holder.execute("UPDATE gate SET n = 2");
    Writer writer(world.database().settings());
    auto inserting = std::async(std::launch::async, [&] {
        writer.execute(
            "INSERT INTO changed (entity) SELECT n FROM gate UNION ALL SELECT n FROM gate FOR UPDATE");
    });
    wait_for_a_waiting_statement(world);
    const auto cleaned = world.try_clean_up(done({{1, 1}}));
    CHECK(cleaned.has_value());  // deletes need no counter
    holder.execute("ROLLBACK");
    inserting.get();
}

TEST_CASE("clean-up: the session is as before, and the statement looks its rows up one by one") {
    OutboxWorld world;
    world.change("'a'");
    world.clean_up(done({{1, 1}}));
    const auto session =
        world.connection().rows("SELECT @@tx_isolation, @@innodb_lock_wait_timeout, @@in_transaction");
    REQUIRE(session.has_value());
    CHECK(session->front()[0] == "REPEATABLE-READ");
    CHECK(session->front()[1] == "50");
    CHECK(session->front()[2] == "0");
    const Revision rows[] = {4'000'000'000, 9'000'000'000'000'000'000, 2};
    const auto plan = world.connection().rows("EXPLAIN " + world.cleaner().delete_statement(rows));
    REQUIRE(plan.has_value());
    CHECK(plan->at(1).at(2) == "outbox");
    CHECK(plan->at(1).at(3) == "eq_ref");
}

TEST_CASE("clean-up: renewed values are the same bytes, whatever their type") {
    struct Case {
        std::string type;
        std::string value;
    };
    const auto key = GENERATE(values<Case>({
        {"INT", "-5"},
        {"INT(8) ZEROFILL", "7"},
        {"BIGINT UNSIGNED", "18446744073709551615"},
        {"DECIMAL(20,2)", "12345678901234567.25"},
        {"UUID", "'123e4567-e89b-12d3-a456-426655440000'"},
        {"DATE", "'2024-02-29'"},
        {"DATETIME(3)", "'2024-02-29 12:00:00.125'"},
        {"TIMESTAMP", "'2024-02-29 12:00:00'"},
        {"BINARY(4)", "X'00ff2700'"},
        {"VARBINARY(20)", "X'00ff5c27'"},
        {"BIT(9)", "b'101010101'"},
        {"CHAR(9)", "'ab'"},
        {"VARCHAR(20)", "'a''\"\\\\`b  '"},
        {"VARCHAR(20) CHARACTER SET latin1", "'åé€'"},
        {"VARCHAR(20) CHARACTER SET utf16", "'😀x'"},
        {"VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin", "'å'"},
        {"ENUM('x','y')", "'y'"},
        {"SET('x','y')", "'x,y'"},
        {"YEAR", "2024"},
        {"TINYINT(1)", "1"},
        {"INET6", "'::1'"},
    }));
    CAPTURE(key.type);
    OutboxWorld world({"id " + key.type});
    world.change(key.value);
    world.clean_up(renew({{1, 1}}));
    world.change(key.value);
    CHECK(world.database().value("SELECT GROUP_CONCAT(id ORDER BY id) FROM changed") == "2,3");
    CHECK(world.database().value("SELECT COUNT(DISTINCT HEX(entity)) FROM changed") == "1");
}

TEST_CASE("clean-up: without the privilege it is named") {
    OutboxWorld world;
    world.change("'a'");
    world.connect_as(world.database().user_with({"SELECT ON {}.*", "INSERT ON {}.changed"}));
    const auto cleaned = world.try_clean_up(done({{1, 1}}));
    REQUIRE_FALSE(cleaned.has_value());
    CHECK(cleaned.error().kind == ErrorKind::forbidden);
    CHECK(cleaned.error().message.find("DELETE") != std::string::npos);
    CHECK(cleaned.error().advice.find("DELETE ON") != std::string::npos);
    CHECK(world.ids() == "1");
}

TEST_CASE("clean-up: beside many writers nothing is lost and nobody waits") {
    PrivateServer server;
    OutboxWorld world(server.settings(), {"id VARCHAR(50)"}, "id");
    world.cleaner();
    constexpr int writers_count = 4;
    constexpr int rounds = 150;
    std::mutex mutex;
    std::set<std::string> committed;
    std::atomic<int> at_work = writers_count;
    std::vector<std::thread> writers;
    const std::string waits = lock_waits(world);
    for (int number = 0; number < writers_count; ++number)
        writers.emplace_back([&, number] {
            Writer writer(world.database().settings());
            for (int round = 0; round < rounds; ++round) {
                writer.execute("START TRANSACTION");
                std::vector<std::string> names;
                for (int row = 0; row <= round % 4; ++row) {
                    names.push_back(fmt::format("w{}-{}-{}", number, round, row));
                    writer.execute(fmt::format("INSERT INTO changed (entity) VALUES ('{}')", names.back()));
                }
                const bool commits = round % 7 != 0;
                writer.execute(commits ? "COMMIT" : "ROLLBACK");
                const std::lock_guard lock(mutex);
                if (commits) committed.insert(names.begin(), names.end());
            }
            --at_work;
        });
    // As the engine does it: read on above high, take out what was read, renew what came late.
    std::set<std::string> seen;
    Revision high = 0;
    std::uint64_t late = 0;
    for (bool last = false, again = true; again; last = at_work == 0) {
        again = !last;
        engine::ReadRequest request = all_changes(50);
        request.revisions = IntervalSet({{high + 1, journal::revision_max}});
        const auto page = world.read(request);
        for (const engine::Row& row : page->rows())
            seen.insert(std::string(row.entity));
        if (!page->seen.empty()) high = page->seen.highest();
        engine::CleanUpRequest cleaning{.id = 1, .done = page->seen, .renew = {}};
        cleaning.late_through = high;
        cleaning.rows_max = 10;
        const auto cleaned = world.clean_up(cleaning);
        late += cleaned.late;
        if (cleaned.late > 0 || !page->complete) again = true;
    }
    for (auto& writer : writers)
        writer.join();
    CHECK(seen == committed);
    CHECK(world.database().value("SELECT COUNT(*) FROM changed") == "0");
    CHECK(lock_waits(world) == waits);
    WARN(fmt::format("{} entities, {} late rows", seen.size(), late));
}

TEST_CASE(
    "clean-up: the id it takes is nobody's, and no later one is below it after a restart of the server") {
    PrivateServer server({"--innodb-autoinc-lock-mode=2"});
    OutboxWorld world(server.settings(), {"id VARCHAR(50)", "part INT"}, "{id}/{part}");
    // Needs four ids and reserves seven: the last three are nobody's, and forgotten at a restart.
    world.database().execute("ALTER TABLE changed MODIFY entity_id VARCHAR(50) NOT NULL");
    world.database().execute("INSERT INTO changed (entity_id, entity_part) SELECT 'a', seq FROM seq_1_to_4");
    const auto counter = world.reader().history_end(world.connection());
    REQUIRE(counter.has_value());
    CHECK(*counter > 4);
    const auto taken = world.cleaner().take_id(world.connection());
    REQUIRE(taken.has_value());
    CHECK(*taken > *counter);
    CHECK(world.ids() == "1,2,3,4");
    server.kill();
    server.start();
    world.connect_as(world.settings());
    const auto after = world.reader().history_end(world.connection());
    REQUIRE(after.has_value());
    CHECK(*after >= *taken);
}

TEST_CASE("clean-up: while a rebuild's table is there, it gets what is deleted, and nothing else") {
    OutboxWorld world;
    for (const char* const key : {"'a'", "'b'", "'c'", "'d'"})
        world.put(key);
    static_cast<void>(world.clean_up({.done = engine::IntervalSet({{1, 1}})}));  // there is no such table yet
    world.database().execute("CREATE TABLE changed_rebuild LIKE changed");
    static_cast<void>(world.clean_up(
        {.done = engine::IntervalSet({{2, 2}, {9, 9}}), .renew = engine::IntervalSet({{3, 3}})}));
    CHECK(world.ids() == "4,5");
    const auto kept = world.connection().rows("SELECT id, entity FROM changed_rebuild");
    REQUIRE(kept);
    REQUIRE(kept->size() == 1);
    CHECK(kept->front()[0] == "1");
    CHECK(kept->front()[1] == "b");
}

// Seen where a rebuild came to its end, and dropped the table, between the look for it and the first row.
TEST_CASE("clean-up: a rebuild's table that takes no rows ends no pipeline: it is tried again") {
    OutboxWorld world;
    world.put("'a'");
    world.database().execute("CREATE TABLE changed_rebuild (id BIGINT PRIMARY KEY)");
    const auto request = done({{1, 1}});
    const auto cleaned = world.try_clean_up(request);
    REQUIRE_FALSE(cleaned);
    CHECK(cleaned.error().kind == ErrorKind::unavailable);
    world.database().execute("DROP TABLE changed_rebuild");
    static_cast<void>(world.clean_up(request));
    CHECK(world.database().value("SELECT COUNT(*) FROM changed") == "0");
}

TEST_CASE("clean-up: without the lease at its end all of it is undone") {
    OutboxWorld world;
    world.put("'a'");
    world.database().execute("CREATE TABLE changed_rebuild LIKE changed");
    const auto cleaned = world.cleaner().run(world.connection(), done({{1, 1}}), [] { return false; });
    REQUIRE_FALSE(cleaned);
    CHECK(cleaned.error().kind == ErrorKind::unavailable);
    world.connect_as(world.settings());
    CHECK(world.ids() == "1");
    CHECK(world.database().value("SELECT COUNT(*) FROM changed_rebuild") == "0");
}

TEST_CASE("clean-up: of kept rows also those count whose COMMIT is on its way: they are waited for") {
    OutboxWorld world;
    CHECK(world.cleaner().highest_of_all(world.connection()) == 0);
    world.put("'a'");
    CHECK(world.cleaner().highest_of_all(world.connection()) == 1);
    REQUIRE(world.connection().execute("SET SESSION innodb_lock_wait_timeout = 1"));
    world.database().execute("START TRANSACTION");
    world.database().execute("INSERT INTO changed (entity) VALUES ('b')");
    CHECK_FALSE(world.cleaner().highest_of_all(world.connection()));
    world.database().execute("COMMIT");
    world.connect_as(world.settings());
    CHECK(world.cleaner().highest_of_all(world.connection()) == 2);
}

TEST_CASE("clean-up: what was kept for a rebuild goes back into the outbox with new ids") {
    OutboxWorld world;
    world.put("'a'");
    world.database().execute("CREATE TABLE changed_rebuild LIKE changed");
    world.database().execute(
        "INSERT INTO changed_rebuild (entity) SELECT CONCAT('k', seq) FROM seq_1_to_700");
    auto pipeline = world.pipeline();
    pipeline.source.outbox->table = source::kept_table_of("changed");
    pipeline.source.outbox->kept_from = "changed";
    const auto layout = source::describe_outbox(world.connection(), world.settings(), pipeline);
    REQUIRE(layout);
    const source::OutboxCleanUp kept(*layout);
    const auto hand_over = [&](engine::Revision through, std::initializer_list<bool> portions) {
        for (const bool more : portions) {
            const auto moved = kept.hand_over(world.connection(), world.cleaner(), through);
            REQUIRE(moved);
            CHECK(*moved == more);
        }
    };
    hand_over(650, {true, true, false});
    // What a daemon has kept in the meantime is not waited for: beside writers, that would have no end.
    CHECK(world.database().value("SELECT MIN(id) FROM changed_rebuild") == "651");
    hand_over(700, {true, false});
    const auto counts = world.connection().rows(
        "SELECT COUNT(*), COUNT(DISTINCT entity), MIN(id), (SELECT COUNT(*) FROM changed_rebuild) FROM "
        "changed");
    REQUIRE(counts);
    CHECK(counts->front() == std::vector<std::optional<std::string>>{"701", "701", "1", "0"});
}

TEST_CASE("clean-up: ids are raised, and never lowered, and a row that has the id stays") {
    OutboxWorld world;
    for (const engine::Revision id : {1'000U, 500U, 1'000U})
        CHECK(world.cleaner().raise_to(world.connection(), id).has_value());
    CHECK(world.ids() == "NULL");  // there is none
    world.put("'a'");
    CHECK(world.ids() == "1001");
    CHECK(world.cleaner().raise_to(world.connection(), 1'001).has_value());
    CHECK(world.ids() == "1001");
}
