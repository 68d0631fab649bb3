// Entities that are known by their ids alone.
#include "source/entity_rows.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "source/check.h"
#include "source/history_view.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;
using engine::Revision;

namespace {

using Found = std::vector<std::optional<Revision>>;

source::EntityRows rows_of(TestDatabase& database) {
    const auto pipeline = TestDatabase::pipeline();
    const auto table = source::fit_table(database.connection(), database.settings(), pipeline);
    if (!table) FAIL(to_line(table.error()));
    return source::EntityRows(*table, pipeline.source);
}

Found latest(TestDatabase& database, const std::vector<std::string>& ids) {
    const auto found = rows_of(database).latest(database.connection(), ids);
    if (!found) FAIL(to_line(found.error()));
    return *found;
}

}  // namespace

TEST_CASE("an id's latest row is found, also of an entity that is deleted") {
    TestDatabase database;
    database.make_history();
    database.execute(
        "INSERT INTO history (entity_id, body, discarded) VALUES ('a', '{}', 0), ('b', '{}', 0), "
        "('a', '{}', 0), ('b', '{}', 1)");
    CHECK(latest(database, {"b", "nobody", "a"}) == Found{4, std::nullopt, 3});
}

TEST_CASE("bytes decide, whatever the collation holds equal and whatever an id has in it") {
    for (const char* const collation :
         {"utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "latin1_swedish_ci", "latin1_bin"}) {
        INFO(collation);
        TestDatabase database;
        database.make_history(fmt::format(
            "history_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, entity_id VARCHAR(60) "
            "CHARACTER SET {} COLLATE {} NOT NULL, body LONGTEXT, discarded BOOL, KEY (entity_id)",
            std::string_view(collation).starts_with("latin1") ? "latin1" : "utf8mb4", collation));
        const std::vector<std::string> ids{"abc",  "ABC",  "abc ", "\u00e5",
                                           "it's", "a\\b", "`",    "' OR 1=1 -- "};
        Found all;
        for (const std::string& id : ids) {
            database.execute(
                fmt::format("INSERT INTO history (entity_id, body, discarded) VALUES ({}, '{{}}', 0)",
                            database.connection().quoted(id)));
            all.emplace_back(all.size() + 1);
        }
        CHECK(latest(database, ids) == all);
        CHECK(latest(database, {"aBc", "abc  ", "a", "\u00e4", "\U0001f600", "%", "a\nb", "a?c"}) ==
              Found(8));
    }
}

TEST_CASE("the key on the entity is used") {
    TestDatabase database;
    database.make_history();
    database.execute(
        "INSERT INTO history (entity_id, body, discarded) SELECT CONCAT('e', seq), '{}', 0 FROM "
        "seq_1_to_3000");
    const std::vector<std::string> ids{"e17", "x"};
    const auto plan = database.connection().rows("EXPLAIN " + rows_of(database).statement(ids));
    REQUIRE(plan);
    std::size_t by_key = 0;
    for (const auto& row : *plan)
        if (row.at(5) == "entity") ++by_key;
    CHECK(by_key == 2);
}

TEST_CASE("an entity that is a number is found by its digits only") {
    TestDatabase database;
    database.make_history(
        "history_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, entity_id BIGINT(20) ZEROFILL NOT NULL, "
        "body LONGTEXT, discarded BOOL, KEY (entity_id)");
    database.execute("INSERT INTO history (entity_id, body, discarded) VALUES (17, '{}', 0), (0, '{}', 0)");
    CHECK(latest(database, {"17", "0"}) == Found{1, 2});
    CHECK(latest(database, {"017", "17 ", "1e1", "", "-", "-0", "0x11", "17 OR 1",
                            "99999999999999999999999"}) == Found(9));
}

TEST_CASE("a view without documents gives the same rows, whatever their bodies hold") {
    TestDatabase database;
    database.make_history();
    database.execute(
        "INSERT INTO history (entity_id, body, discarded) VALUES ('a', 'no json', 0), ('b', '{}', 0), "
        "('b', '{}', 1), ('', '{}', 0), ('c', '{}', NULL)");
    source::Interrupt interrupt;
    auto view = source::HistoryView::open(database.settings(), TestDatabase::pipeline(),
                                          source::DocumentsRead::none, interrupt);
    REQUIRE(view);
    CHECK(view->history_end().value() == 5);
    auto request = everything();
    request.revisions = engine::IntervalSet({{1, 5}});
    request.fill = true;
    const auto page = view->read(request);
    REQUIRE(page);
    CHECK(revisions_of(**page) == std::vector<Revision>{1, 3, 4, 5});
    const auto& rows = (*page)->rows();
    REQUIRE(rows.size() == 4);
    CHECK(rows[0].action == engine::Action::index);
    CHECK(rows[1].action == engine::Action::remove);
    CHECK(rows[2].action == engine::Action::invalid);
    CHECK(rows[3].action == engine::Action::index);
    for (const auto& row : rows)
        if (row.action == engine::Action::index) CHECK(row.document.empty());
    CHECK(view->latest_of(std::vector<std::string>{"b"}).value() == Found{3});
}
