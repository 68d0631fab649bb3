// Single entities of a table with an outbox, known by their ids alone.
#include "source/table_entities.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "source/shape.h"
#include "tests/integration/source/outbox_world.h"

using namespace pawl;
using namespace pawl::test;
using engine::Action;
using engine::Revision;
using Pending = std::vector<std::vector<Revision>>;

namespace {

source::RowShape shape_of_rows(OutboxWorld& world) {
    return source::present_shape_of(world.layout().present(), world.pipeline());
}

source::EntitiesNow look_at(OutboxWorld& world, const std::vector<std::string>& ids) {
    source::DocumentBuilder builder(shape_of_rows(world));
    auto now =
        source::TableEntities(world.layout(), shape_of_rows(world)).look_at(world.connection(), ids, builder);
    if (!now) FAIL(to_line(now.error()));
    return std::move(*now);
}

std::vector<bool> are_there(OutboxWorld& world, const std::vector<std::string>& ids) {
    std::vector<bool> there;
    for (const auto& row : look_at(world, ids).rows)
        there.push_back(row.has_value());
    return there;
}

}  // namespace

TEST_CASE("outbox: an entity that is asked for comes with its document and what waits for it") {
    OutboxWorld world;
    world.put("'a'", R"({"n":1})");
    world.put("'b'");
    world.put("'a'", R"({"n":2})");
    world.remove("id = 'b'", "'b'");
    static_cast<void>(world.clean_up({.done = engine::IntervalSet({{1, 1}})}));
    const auto now = look_at(world, {"b", "nobody", "a"});
    REQUIRE(now.rows.size() == 3);
    CHECK_FALSE(now.rows[0]);
    CHECK_FALSE(now.rows[1]);
    REQUIRE(now.rows[2]);
    CHECK(now.rows[2]->action == Action::index);
    CHECK(now.rows[2]->entity == "a");
    CHECK(now.rows[2]->document == R"({"n":2})");
    CHECK(now.pending == Pending{{2, 4}, {}, {3}});
}

TEST_CASE("outbox: of an entity that is asked for bytes decide, whatever the collation holds equal") {
    for (const char* const type : {"VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
                                   "VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
                                   "VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"}) {
        INFO(type);
        OutboxWorld world({fmt::format("id {}", type)});
        for (const char* const id : {"abc", "å", "it's", "a\\b", "' OR 1=1 -- "})
            world.put(world.connection().quoted(id));
        CHECK(are_there(world, {"abc", "å", "it's", "a\\b", "' OR 1=1 -- "}) == std::vector<bool>(5, true));
        const std::vector<std::string> others{"ABC", "abc ", "a", "\U0001f600", "%", "a?c"};
        CHECK(are_there(world, others) == std::vector<bool>(others.size(), false));
        CHECK(look_at(world, others).pending == Pending(others.size()));
    }
}

TEST_CASE("outbox: an id that is no key of the table is nobody's") {
    OutboxWorld world({"a INT", "b VARCHAR(9)"}, "{a}/{b}");
    world.put("1, 'x'");
    world.put("-7, ''");
    CHECK(are_there(world, {"1/x", "-7/"}) == std::vector<bool>(2, true));
    const std::vector<std::string> others{"nonsense", "01/x", "+1/x", "1/x/y",
                                          "2/x",      "x/1",  "1 /x", "1/0123456789"};
    const auto now = look_at(world, others);
    for (std::size_t at = 0; at < others.size(); ++at) {
        INFO(others[at]);
        CHECK_FALSE(now.rows[at]);
        CHECK(now.pending[at].empty());
    }
}

TEST_CASE("outbox: an entity whose key is shown with zeros before it is asked for without them") {
    OutboxWorld world({"id INT ZEROFILL"});
    world.put("17");
    const auto now = look_at(world, {"17", "0000000017"});
    CHECK(now.rows[0]);
    CHECK_FALSE(now.rows[1]);
    CHECK(now.pending == Pending{{1}, {}});
}

TEST_CASE("outbox: an entity that is asked for is found by the table's key") {
    OutboxWorld world({"a INT", "b VARCHAR(9)"}, "{a}/{b}");
    world.database().execute("INSERT INTO lex SELECT seq, 'x', '{}' FROM seq_1_to_3000");
    const auto statement = source::TableEntities(world.layout(), shape_of_rows(world)).row_statement("17/x");
    REQUIRE(statement);
    const auto plan = world.connection().rows("EXPLAIN " + *statement);
    REQUIRE(plan);
    REQUIRE(plan->size() == 1);
    CHECK(plan->front().at(3) == "const");
    CHECK(plan->front().at(5) == "PRIMARY");
}
