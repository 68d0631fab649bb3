// Pages of rows: limits, what they say to have covered, bad rows.
#include "source/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "source/check.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;
using engine::Action;
using engine::Interval;
using engine::IntervalSet;

namespace {

void insert_rows(TestDatabase& database, int count, int body_bytes = 100) {
    database.execute(
        fmt::format("INSERT INTO history (entity_id, body) SELECT CONCAT('e', seq), "
                    "CONCAT('{{\"a\":\"', REPEAT('x', {}), '\"}}') FROM seq_1_to_{}",
                    body_bytes - 8, count));
}

engine::ReadRequest request_for(std::vector<Interval> intervals, std::uint32_t rows_max = 1'000'000,
                                std::uint64_t bytes_max = 1ULL << 40) {
    engine::ReadRequest request;
    request.revisions = IntervalSet(intervals);
    request.rows_max = rows_max;
    request.bytes_max = bytes_max;
    return request;
}

}  // namespace

TEST_CASE("an empty history gives an empty complete page") {
    TestDatabase database;
    database.make_history();
    const auto page = read_page(database.settings(), TestDatabase::pipeline(), everything());
    CHECK(page->rows().empty());
    CHECK(page->seen.empty());
    CHECK(page->complete);
    CHECK(page->covered_through == journal::revision_max);
    CHECK(page->read_at > 0);
}

TEST_CASE("a page that rows_max ends covers what it read, and no more") {
    TestDatabase database;
    database.make_history();
    insert_rows(database, 10);
    database.execute("DELETE FROM history WHERE history_id IN (2, 3)");
    const auto page = read_page(database.settings(), TestDatabase::pipeline(),
                                request_for({{1, journal::revision_max}}, 4));
    CHECK(revisions_of(*page) == std::vector<engine::Revision>{1, 4, 5, 6});
    CHECK(page->seen == IntervalSet({{1, 1}, {4, 6}}));
    CHECK(page->covered_through == 6);
    CHECK_FALSE(page->complete);
    const auto rest = read_page(database.settings(), TestDatabase::pipeline(),
                                request_for({{7, journal::revision_max}}, 5));
    CHECK(revisions_of(*rest) == std::vector<engine::Revision>{7, 8, 9, 10});
    CHECK(rest->complete);
}

TEST_CASE("a page ends with the row that passes bytes_max") {
    TestDatabase database;
    database.make_history();
    insert_rows(database, 100, 1000);
    const auto page = read_page(database.settings(), TestDatabase::pipeline(),
                                request_for({{1, journal::revision_max}}, 1'000, 5'500));
    CHECK(page->rows().size() == 6);
    CHECK(page->covered_through == 6);
    CHECK_FALSE(page->complete);
    const auto one = read_page(database.settings(), TestDatabase::pipeline(),
                               request_for({{1, journal::revision_max}}, 1'000, 1));
    CHECK(one->rows().size() == 1);
}

TEST_CASE("a rest that is too long to read in vain costs the connection, not the page") {
    TestDatabase database;
    database.make_history();
    insert_rows(database, 3'000, 20);
    insert_rows(database, 30, 1'000'000);
    source::Interrupt interrupt;
    auto connection = source::Connection::open(database.settings(), interrupt);
    REQUIRE(connection.has_value());
    const auto pipeline = TestDatabase::pipeline();
    const auto table = source::fit_table(*connection, database.settings(), pipeline);
    REQUIRE(table.has_value());
    source::Table small = *table;
    small.row_bytes_mean = 10;  // an estimate that is far off
    source::Reader reader(small, pipeline);
    const auto page =
        reader.read(*connection, request_for({{3'001, journal::revision_max}}, 1'000, 1'500'000));
    REQUIRE(page.has_value());
    CHECK((*page)->rows().size() == 2);
    CHECK_FALSE(connection->is_open());
}

TEST_CASE("intervals are read alone, and thousands of them too") {
    TestDatabase database;
    database.make_history();
    insert_rows(database, 30'000, 20);
    std::vector<Interval> intervals;
    std::vector<engine::Revision> expected;
    for (engine::Revision revision = 1; revision <= 30'000; revision += 3) {
        intervals.push_back({revision, revision});
        expected.push_back(revision);
    }
    intervals.push_back({40'000, 50'000});
    for (const bool latest : {false, true}) {
        auto request = request_for(intervals);
        request.latest = latest;
        const auto page = read_page(database.settings(), TestDatabase::pipeline(), request);
        CHECK(page->seen.count() == 10'000);
        CHECK(page->covered_through == 50'000);
        CHECK(page->complete);
        auto revisions = revisions_of(*page);
        std::ranges::sort(revisions);
        CHECK(revisions == expected);
    }
    const auto part = read_page(database.settings(), TestDatabase::pipeline(), request_for(intervals, 1'000));
    CHECK(part->rows().size() == 1'000);
    CHECK(part->covered_through == expected[999]);
    CHECK_FALSE(part->complete);
}

TEST_CASE("rows that make no document come with a reason, and hold up none of the others") {
    TestDatabase database;
    database.make_history();
    const auto insert = [&](std::string_view entity, std::string_view body,
                            std::string_view discarded = "0") {
        database.execute(fmt::format("INSERT INTO history (entity_id, body, discarded) VALUES ({}, {}, {})",
                                     entity, body, discarded));
    };
    insert("''", "'{}'");
    insert("REPEAT('x', 513)", "'{}'");
    insert("'a'", "NULL");
    insert("'b'", "'[]'");
    insert("'c'", "'{\"a\":'");
    insert("'d'", "'{\"a\":\"\\0\"}'");
    insert("'e'", "NULL", "1");
    insert("'f\"\\n'", "'{\\n\"a\":1}'", "NULL");
    const auto page = read_page(database.settings(), TestDatabase::pipeline(), everything());
    std::vector<std::string> outcomes;
    for (const auto& row : page->rows())
        outcomes.emplace_back(row.action == Action::invalid ? row.error : row.document);
    CHECK(outcomes == std::vector<std::string>{"entity_empty", "entity_too_long", "invalid_body",
                                               "invalid_body", "invalid_body", "invalid_body", "",
                                               R"({ "a":1})"});
    CHECK(page->rows().back().entity == "f\"\n");
    CHECK(page->complete);
}

TEST_CASE("a body of 20 MB is a document, or too large, as configured") {
    TestDatabase database;
    database.make_history();
    database.execute("SET GLOBAL max_allowed_packet = 67108864");
    Writer writer(database.settings());  // a new connection, for which the new limit holds
    writer.execute(
        "INSERT INTO history (entity_id, body) VALUES ('a', CONCAT('{\"a\":\"', REPEAT('x', 20000000), "
        "'\"}'))");
    writer.execute("INSERT INTO history (entity_id, body) VALUES ('b', '{}')");
    config::Pipeline pipeline = TestDatabase::pipeline();
    const auto page = read_page(database.settings(), pipeline, everything());
    REQUIRE(page->rows().size() == 2);
    CHECK(page->rows()[0].document.size() == 20'000'008);
    CHECK(page->rows()[1].document == "{}");
    pipeline.document_bytes_max = 20'000'000;
    const auto refused = read_page(database.settings(), pipeline, everything());
    REQUIRE(refused->rows().size() == 2);
    CHECK(refused->rows()[0].error == "document_too_large");
    CHECK(refused->rows()[1].document == "{}");
}

TEST_CASE("a page is one snapshot, whatever writers do meanwhile") {
    TestDatabase database;
    database.make_history();
    database.execute(
        "INSERT INTO history (entity_id, body) SELECT CONCAT('e', seq % 100), '{}' FROM seq_1_to_2000");
    // Every transaction adds a row to two entities; a snapshot sees both or none of them.
    std::atomic<bool> done = false;
    std::thread writing([&] {
        Writer writer(database.settings());
        while (!done)
            writer.execute("INSERT INTO history (entity_id, body) VALUES ('left', '{}'), ('right', '{}')");
    });
    source::Interrupt interrupt;
    auto connection = source::Connection::open(database.settings(), interrupt);
    REQUIRE(connection.has_value());
    const auto pipeline = TestDatabase::pipeline();
    const auto table = source::fit_table(*connection, database.settings(), pipeline);
    REQUIRE(table.has_value());
    source::Reader reader(*table, pipeline);
    for (int round = 0; round < 50; ++round) {
        auto request = everything();
        request.latest = round % 2 == 0;
        const auto page = reader.read(*connection, request);
        REQUIRE(page.has_value());
        engine::Revision left = 0;
        engine::Revision right = 0;
        for (const auto& row : (*page)->rows()) {
            if (row.entity == "left") left = row.revision;
            if (row.entity == "right") right = row.revision;
        }
        CHECK((left == 0 ? right == 0 : right == left + 1));
    }
    done = true;
    writing.join();
}

TEST_CASE("a history's end is its highest revision") {
    TestDatabase database;
    database.make_history();
    source::Interrupt interrupt;
    auto connection = source::Connection::open(database.settings(), interrupt);
    REQUIRE(connection.has_value());
    const auto pipeline = TestDatabase::pipeline();
    const auto table = source::fit_table(*connection, database.settings(), pipeline);
    REQUIRE(table.has_value());
    const source::Reader reader(*table, pipeline);
    CHECK(reader.history_end(*connection).value() == 0);
    insert_rows(database, 5);
    CHECK(reader.history_end(*connection).value() == 5);
}
