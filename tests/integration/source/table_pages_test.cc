// Outbox mode: the table itself, page by page in the order of its key.
#include "source/table_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/integration/source/outbox_world.h"

using namespace pawl;
using namespace pawl::test;
using engine::Action;
using Told = std::vector<std::string>;

namespace {

// The entities of all pages, in their order.
Told entities_of(const std::vector<std::shared_ptr<const engine::Page>>& pages) {
    Told entities;
    for (const auto& page : pages)
        for (const engine::Row& row : page->rows())
            entities.emplace_back(row.entity);
    return entities;
}

Told listed(OutboxWorld& world, const std::string& sql) {
    const auto rows = world.database().connection().rows(sql);
    REQUIRE(rows.has_value());
    Told values;
    for (const auto& row : *rows)
        values.push_back(row[0].value_or("NULL"));
    return values;
}

}  // namespace

TEST_CASE("table pages: an empty table is complete at once") {
    OutboxWorld world;
    const auto pages = world.fill(10);
    REQUIRE(pages.size() == 1);
    CHECK(pages[0]->rows().empty());
    CHECK(pages[0]->complete);
    CHECK(pages[0]->table_through.empty());
    CHECK(pages[0]->shape == world.reader().shape());
}

TEST_CASE("table pages: rows come with revision 0 and their documents, each once") {
    OutboxWorld world;
    world.database().execute(
        "INSERT INTO lex SELECT CONCAT('e', seq), CONCAT('{\"n\":', seq, '}') FROM seq_1_to_100");
    const auto pages = world.fill(30);
    REQUIRE(pages.size() == 4);
    CHECK(pages[0]->rows().size() == 30);
    CHECK_FALSE(pages[2]->complete);
    CHECK(pages[3]->rows().size() == 10);
    CHECK(pages[0]->seen.empty());
    CHECK(told(*pages[0])[0] == R"(e1@0 {"n":1})");
    CHECK(entities_of(pages) == listed(world, "SELECT id FROM lex ORDER BY id"));
    // A page that ends with the table's last row cannot know it.
    CHECK(world.fill(50).size() == 3);
}

TEST_CASE("table pages: a page ends with the row that passes bytes_max") {
    OutboxWorld world;
    world.database().execute(
        "INSERT INTO lex SELECT CONCAT('e', seq), CONCAT('{\"t\":\"', REPEAT('x', 992), '\"}') FROM "
        "seq_1_to_50");
    const auto pages = world.fill(1'000, 5'500);
    CHECK(pages[0]->rows().size() == 6);
    CHECK_FALSE(pages[0]->complete);
    CHECK(entities_of(pages) == listed(world, "SELECT id FROM lex ORDER BY id"));
    CHECK(world.fill(1'000, 1)[0]->rows().size() == 1);
}

TEST_CASE("table pages: the order is the key's own, for many types, and its index is used") {
    struct Case {
        std::string type;
        std::string value;  // of `seq`
    };
    const auto key = GENERATE(values<Case>({
        {"INT", "CAST(seq AS SIGNED) - 300"},
        {"INT(8) ZEROFILL", "seq"},
        {"BIGINT UNSIGNED", "18446744073709551615 - seq"},
        {"BIGINT", "9007199254740993 + seq"},
        {"DECIMAL(20,2)", "seq / 4 - 50"},
        {"UUID",
         "CONCAT(LPAD(HEX(seq * 7919 MOD 65536), 8, '0'), '-1111-2222-3333-', LPAD(HEX(seq), 12, '0'))"},
        {"INET6", "CONCAT('::', HEX(seq))"},
        {"DATE", "DATE '2024-02-28' + INTERVAL seq DAY"},
        {"DATETIME(3)", "TIMESTAMP('2024-02-28') + INTERVAL seq * 125000 MICROSECOND"},
        {"BINARY(4)", "LPAD(HEX(seq), 4, 'z')"},
        {"VARBINARY(20)", "CONCAT(CHAR(seq MOD 128), '''\\\\', seq)"},
        {"CHAR(20)", "CONCAT(IF(seq MOD 2, 'a', 'B'), seq, IF(seq MOD 3, '', 'é'))"},
        {"VARCHAR(20)", "CONCAT(IF(seq MOD 2, 'a', 'B'), CHAR(seq MOD 90 + 1), '''\\\\\"', seq, '  ')"},
        {"VARCHAR(20) COLLATE utf8mb4_swedish_ci",
         "CONCAT(IF(seq MOD 2, 'å', 'Z'), IF(seq MOD 5, 'ß', 'ss'), seq)"},
        {"VARCHAR(20) COLLATE utf8mb4_nopad_bin", "CONCAT('x', IF(seq MOD 2, ' ', '\\t'), seq)"},
        {"VARCHAR(20) CHARACTER SET latin1", "CONCAT(IF(seq MOD 2, 'é', '€'), seq)"},
        {"VARCHAR(20) CHARACTER SET utf16", "CONCAT(IF(seq MOD 2, '😀', 'z'), seq)"},
    }));
    CAPTURE(key.type);
    OutboxWorld world({"id " + key.type});
    world.database().execute(fmt::format("INSERT INTO lex SELECT {}, '{{}}' FROM seq_1_to_600", key.value));
    world.database().execute("ANALYZE TABLE lex");
    const auto expected = listed(world, "SELECT id FROM lex ORDER BY id");
    REQUIRE(expected.size() == 600);
    const auto pages = world.fill(7);
    CHECK(pages.size() == 86);
    Told found = entities_of(pages);
    if (key.type.find("ZEROFILL") != std::string::npos)
        for (std::string& id : found)
            id.insert(0, 8 - id.size(), '0');
    CHECK(found == expected);
    source::TablePages table_pages(world.layout(),
                                   source::present_shape_of(world.layout().table, world.pipeline()));
    const auto statement = table_pages.statement(pages[80]->table_through, 7);
    REQUIRE(statement.has_value());
    const auto plan = world.connection().rows("EXPLAIN " + *statement);
    REQUIRE(plan.has_value());
    CHECK(plan->at(0).at(3) == "range");
    CHECK(plan->at(0).at(5) == "PRIMARY");
    CHECK(plan->at(0).at(9).value_or("").find("filesort") == std::string::npos);
}

TEST_CASE("table pages: keys of several columns, in another order than the id's") {
    OutboxWorld world({"part VARCHAR(20)", "id INT", "tenant VARCHAR(20)"}, "{tenant}/{id}/{part}");
    world.database().execute(
        "INSERT INTO lex (part, id, tenant, body) SELECT CONCAT('p', seq MOD 3), seq MOD 20, "
        "CONCAT('T', seq), '{}' FROM seq_1_to_500");
    world.database().execute(
        "INSERT INTO lex (part, id, tenant, body) VALUES ('', 0, '', '{}'), ('x', -1, 'a/b', '{}')");
    const auto pages = world.fill(9);
    CHECK(entities_of(pages) ==
          listed(world, "SELECT CONCAT(tenant, '/', id, '/', part) FROM lex ORDER BY part, id, tenant"));
    CHECK(told(*pages[0])[0] == "/0/@0 {}");
    CHECK(told(*pages.back()).back() == "a/b/-1/x@0 entity_ambiguous");
    source::TablePages table_pages(world.layout(),
                                   source::present_shape_of(world.layout().table, world.pipeline()));
    const auto plan =
        world.connection().rows("EXPLAIN " + *table_pages.statement(pages[30]->table_through, 9));
    REQUIRE(plan.has_value());
    CHECK(plan->at(0).at(3) == "range");
    CHECK(plan->at(0).at(9).value_or("").find("filesort") == std::string::npos);
}

TEST_CASE("table pages: a key of fewer columns than the entity's is enough") {
    OutboxWorld world({"id INT", "tenant VARCHAR(20)"}, "{tenant}/{id}");
    world.database().execute("ALTER TABLE lex DROP PRIMARY KEY, ADD PRIMARY KEY (id)");
    world.database().execute("INSERT INTO lex SELECT seq, CONCAT('t', seq MOD 3), '{}' FROM seq_1_to_50");
    CHECK(entities_of(world.fill(7)) == listed(world, "SELECT CONCAT(tenant, '/', id) FROM lex ORDER BY id"));
    world.change("7, 't1'");
    world.change("7, 't2'");
    CHECK(told(*world.read_all()) == Told{"t1/7@1 {}", "t2/7@2 gone"});
}

TEST_CASE(
    "table pages: a view's rows; what it does not show is passed over, what it shows twice is invalid") {
    OutboxWorld world({"id INT"});
    world.database().execute("CREATE TABLE sense (lex INT, word TEXT, KEY (lex))");
    world.database().execute("INSERT INTO lex SELECT seq, '{}' FROM seq_1_to_100");
    world.database().execute(
        "INSERT INTO sense SELECT seq, CONCAT('{\"w\":', seq, '}') FROM seq_1_to_100 WHERE seq > 20");
    world.database().execute("INSERT INTO sense VALUES (33, 'again'), (33, 'and again')");
    world.database().execute(
        "CREATE VIEW entry AS SELECT lex.id, sense.word AS body FROM lex JOIN sense ON sense.lex = "
        "lex.id");
    world.pipeline().source.outbox->view = "entry";
    const auto pages = world.fill(10);
    CHECK(pages[0]->rows().empty());
    CHECK_FALSE(pages[0]->table_through.empty());
    const auto entities = entities_of(pages);
    CHECK(entities.size() == 80);
    CHECK(entities == listed(world, "SELECT DISTINCT lex FROM sense ORDER BY lex"));
    for (const auto& page : pages)
        for (const engine::Row& row : page->rows()) {
            const std::string expected = row.entity == "33" ? "several_rows" : "";
            CHECK(row.error == expected);
        }
}

TEST_CASE("table pages: where the view fails for an entity, that one is invalid and the others go on") {
    OutboxWorld world({"id INT"});
    world.database().execute(
        "CREATE FUNCTION strict_body(id INT) RETURNS LONGTEXT DETERMINISTIC BEGIN "
        "IF id IN (1, 78, 300) THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'; END IF; "
        "RETURN CONCAT('{\"n\":', id, '}'); END");
    world.database().execute("CREATE VIEW entry AS SELECT id, strict_body(id) AS body FROM lex");
    world.pipeline().source.outbox->view = "entry";
    world.database().execute("INSERT INTO lex SELECT seq, '' FROM seq_1_to_300");
    const auto pages = world.fill(128);
    CHECK(entities_of(pages) == listed(world, "SELECT id FROM lex ORDER BY id"));
    Told failed;
    for (const auto& page : pages)
        for (const engine::Row& row : page->rows())
            if (row.action == Action::invalid) failed.emplace_back(row.entity);
    CHECK(failed == Told{"1", "78", "300"});
}

TEST_CASE("table pages: a position of another key stops for a person") {
    OutboxWorld world;
    engine::ReadRequest request;
    request.rows_max = 10;
    request.bytes_max = 1'000;
    for (const char* const position : {"x61,x62", "61", "x6", "xzz", ","}) {
        request.table_after = position;
        const auto page = world.reader().read(world.connection(), request);
        REQUIRE_FALSE(page.has_value());
        CHECK(page.error().kind == ErrorKind::decision);
        world.connection().abandon();
    }
}
