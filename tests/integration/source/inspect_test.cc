#include "source/inspect.h"

#include <catch2/catch.hpp>

#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;

TEST_CASE("the tables of a database are listed, and their columns' parts guessed") {
    TestDatabase database;
    database.make_history();
    database.execute("CREATE TABLE other (a INT)");
    const auto tables = source::tables_of(database.connection(), database.name());
    REQUIRE(tables.has_value());
    REQUIRE(tables->size() == 2);
    const source::Guess guess = source::guess_columns(tables->at(0));
    CHECK(guess.revision == "history_id");
    CHECK(guess.entity == "entity_id");
    CHECK(guess.deleted == "discarded");
    CHECK(guess.body == "body");
    CHECK(source::guess_columns(tables->at(1)).revision.empty());
}
