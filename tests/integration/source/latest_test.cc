// The latest rows of entities.
#include "source/latest.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>

#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;
using engine::Interval;
using engine::IntervalSet;
using engine::Revision;

namespace {

engine::ReadRequest latest_of(std::vector<Interval> intervals, std::uint32_t rows_max = 1'000'000,
                              std::uint64_t bytes_max = 1ULL << 40) {
    engine::ReadRequest request;
    request.revisions = IntervalSet(intervals);
    request.rows_max = rows_max;
    request.bytes_max = bytes_max;
    request.latest = true;
    return request;
}

std::map<std::string, Revision> by_entity(const engine::Page& page) {
    std::map<std::string, Revision> found;
    for (const auto& row : page.rows())
        CHECK(found.emplace(row.entity, row.revision).second);
    return found;
}

using Found = std::map<std::string, Revision>;

}  // namespace

TEST_CASE("an entity's latest row of the whole history is read, once") {
    TestDatabase database;
    database.make_history();
    database.execute(
        "INSERT INTO history (entity_id, body, discarded) VALUES ('a', '{}', 0), ('b', '{}', 0), "
        "('a', '{}', 0), ('c', '{}', 0), ('b', 'x', 1)");
    const auto page = read_page(database.settings(), TestDatabase::pipeline(), latest_of({{1, 3}}));
    CHECK(by_entity(*page) == Found{{"a", 3}, {"b", 5}});
    CHECK(page->seen == IntervalSet({{1, 3}}));
    CHECK(page->covered_through == 3);
    CHECK(page->complete);
    for (const auto& row : page->rows())
        CHECK(row.action == (row.entity == "b" ? engine::Action::remove : engine::Action::index));
}

TEST_CASE("ids that the collation holds equal are not mixed up") {
    for (const char* const collation :
         {"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "latin1_swedish_ci"}) {
        INFO(collation);
        TestDatabase database;
        database.make_history(fmt::format(
            "history_id BIGINT AUTO_INCREMENT PRIMARY KEY, entity_id VARCHAR(50) COLLATE {} NOT NULL, "
            "body TEXT, discarded BOOL, KEY (entity_id)",
            collation));
        database.execute(
            "INSERT INTO history (entity_id, body) VALUES ('abc', '{}'), ('ABC', '{}'), ('abc ', '{}'), "
            "('äbc', '{}'), ('abc', '{}'), ('ABC', '{}')");
        const auto page = read_page(database.settings(), TestDatabase::pipeline(), latest_of({{1, 4}}));
        CHECK(by_entity(*page) == Found{{"abc", 5}, {"ABC", 6}, {"abc ", 3}, {"äbc", 4}});
    }
}

TEST_CASE("integer and UUID ids have latest rows too") {
    TestDatabase numbers;
    numbers.make_history(
        "history_id BIGINT AUTO_INCREMENT PRIMARY KEY, entity_id INT(8) ZEROFILL NOT NULL, body TEXT, "
        "discarded BOOL, KEY (entity_id)");
    numbers.execute("INSERT INTO history (entity_id, body) VALUES (7, '{}'), (70, '{}'), (7, '{}')");
    CHECK(by_entity(*read_page(numbers.settings(), TestDatabase::pipeline(), latest_of({{1, 2}}))) ==
          Found{{"7", 3}, {"70", 2}});
    TestDatabase uuids;
    uuids.make_history(
        "history_id BIGINT AUTO_INCREMENT PRIMARY KEY, entity_id UUID NOT NULL, body TEXT, "
        "discarded BOOL, KEY (entity_id)");
    const std::string uuid = "123e4567-e89b-12d3-a456-426614174000";
    uuids.execute(
        fmt::format("INSERT INTO history (entity_id, body) VALUES ('{0}', '{{}}'), ('{0}', '{{}}')", uuid));
    CHECK(by_entity(*read_page(uuids.settings(), TestDatabase::pipeline(), latest_of({{1, 1}}))) ==
          Found{{uuid, 2}});
}

TEST_CASE("a key on the beginning of the id, and a revision that is not the primary key, do") {
    TestDatabase database;
    database.make_history(
        "pk INT AUTO_INCREMENT PRIMARY KEY, history_id BIGINT NOT NULL UNIQUE, "
        "entity_id VARCHAR(50) NOT NULL, body TEXT, discarded BOOL, KEY (entity_id(3))");
    database.execute(
        "INSERT INTO history (history_id, entity_id, body) VALUES (30, 'abcd', '{}'), (20, 'abcd', '{}'), "
        "(10, 'abce', '{}')");
    CHECK(by_entity(*read_page(database.settings(), TestDatabase::pipeline(), latest_of({{1, 25}}))) ==
          Found{{"abcd", 30}, {"abce", 10}});
}

TEST_CASE("rows_max counts the rows looked at") {
    TestDatabase database;
    database.make_history();
    database.execute(
        "INSERT INTO history (entity_id, body) VALUES ('a', '{}'), ('a', '{}'), ('b', '{}'), ('c', '{}')");
    const auto page =
        read_page(database.settings(), TestDatabase::pipeline(), latest_of({{1, journal::revision_max}}, 3));
    CHECK(by_entity(*page) == Found{{"a", 2}, {"b", 3}});
    CHECK(page->covered_through == 3);
    CHECK(page->seen == IntervalSet({{1, 3}}));
    CHECK_FALSE(page->complete);
}

TEST_CASE("bytes_max ends a page before the first row whose entity was not read, and pages get on") {
    TestDatabase database;
    database.make_history();
    // Entities e0 … e99, the latest rows in the opposite order of the first ones.
    database.execute("INSERT INTO history (entity_id, body) SELECT CONCAT('e', seq), '{}' FROM seq_0_to_99");
    database.execute(
        "INSERT INTO history (history_id, entity_id, body) SELECT 101 + seq, CONCAT('e', 99 - seq), "
        "CONCAT('{\"a\":\"', REPEAT('x', 992), '\"}') FROM seq_0_to_99");
    Found all;
    Revision from = 1;
    IntervalSet seen;
    int pages = 0;
    for (bool complete = false; !complete; ++pages) {
        REQUIRE(pages < 100);
        const auto page =
            read_page(database.settings(), TestDatabase::pipeline(), latest_of({{from, 100}}, 1'000, 5'000));
        CHECK(page->covered_through >= from);
        CHECK(page->rows().size() <=
              11);  // documents of 1,000 bytes: twice bytes_max, and the row that passes it
        CHECK(page->rows().size() <= page->seen.count());
        CHECK((page->seen.empty() || page->seen.highest() <= page->covered_through));
        for (const auto& [entity, revision] : by_entity(*page))
            all[entity] = revision;
        seen.insert(page->seen);
        from = page->covered_through + 1;
        complete = page->complete;
    }
    CHECK(seen == IntervalSet({{1, 100}}));
    CHECK(all.size() == 100);
    for (int entity = 0; entity < 100; ++entity)
        CHECK(all[fmt::format("e{}", entity)] == static_cast<Revision>(200 - entity));
}

TEST_CASE("a page that is cut between an entity's rows holds no row that it does not cover") {
    TestDatabase database;
    database.make_history();
    // Small documents first, so that a chunk is made for small ones; then far larger ones, in the opposite
    // order.
    database.execute("INSERT INTO history (entity_id, body) SELECT CONCAT('e', seq), '{}' FROM seq_0_to_99");
    database.execute(
        "INSERT INTO history (history_id, entity_id, body) SELECT 101 + seq, CONCAT('e', 99 - seq), "
        "CONCAT('{\"a\":\"', REPEAT('x', IF(seq > 90, 10, 9000)), '\"}') FROM seq_0_to_99");
    Found all;
    Revision from = 1;
    for (bool complete = false; !complete;) {
        const auto page =
            read_page(database.settings(), TestDatabase::pipeline(), latest_of({{from, 100}}, 1'000, 20'000));
        REQUIRE(page->covered_through >= from);
        CHECK(page->rows().size() <= page->seen.count());
        for (const auto& [entity, revision] : by_entity(*page))
            all[entity] = revision;
        from = page->covered_through + 1;
        complete = page->complete;
    }
    CHECK(all.size() == 100);
}

TEST_CASE("the latest row is found by the entity's key, without a scan or a sort") {
    TestDatabase database;
    database.make_history();
    database.execute("INSERT INTO history (entity_id, body) SELECT 'hot', '{}' FROM seq_1_to_5000");
    database.execute(
        "INSERT INTO history (entity_id, body) SELECT CONCAT('e', seq), '{}' FROM seq_1_to_5000");
    database.execute("ANALYZE TABLE history PERSISTENT FOR ALL");
    const auto table = source::describe(database.connection(), database.name(), "history");
    if (!table) FAIL(to_line(table.error()));
    const source::LatestFinder finder(*table, TestDatabase::pipeline().source);
    std::vector<Revision> rows{1};
    for (Revision revision = 5'001; revision < 5'100; ++revision)
        rows.push_back(revision);
    // A search that stopped at the wrong rows would be no search: see the session's optimizer_switch.
    CHECK_THAT(database.value("SELECT @@optimizer_switch"), Catch::Contains("subquery_cache=off"));
    const auto plan = database.connection().rows("EXPLAIN " + finder.find_statement(rows));
    REQUIRE(plan.has_value());
    REQUIRE(plan->size() == 2);
    constexpr std::size_t access = 3;
    constexpr std::size_t key = 5;
    constexpr std::size_t extra = 9;
    CHECK(plan->at(0).at(access) == "range");
    CHECK(plan->at(1).at(access) == "ref");
    CHECK(plan->at(1).at(key) == "entity");
    CHECK_THAT(plan->at(1).at(extra).value_or(""),
               !Catch::Contains("filesort") && !Catch::Contains("temporary"));

    // And it really reads few rows: one hot entity with 5,000 rows is found with a handful of reads.
    const auto reads = [&] {
        const auto status = database.connection().rows("SHOW SESSION STATUS LIKE 'Handler_read%'");
        REQUIRE(status.has_value());
        std::uint64_t sum = 0;
        for (const auto& row : *status)
            sum += std::stoull(row.at(1).value_or("0"));
        return sum;
    };
    const auto before = reads();
    REQUIRE(database.connection().rows(finder.find_statement(rows)).has_value());
    CHECK(reads() - before < 5 * rows.size());
}
