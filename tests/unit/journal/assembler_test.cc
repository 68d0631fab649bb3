#include "journal/assembler.h"

#include <string>

#include <catch2/catch.hpp>

#include "journal/limits.h"

using namespace pawl::journal;

TEST_CASE("a record of no table, and one of meta that nobody knows, are damages with their places") {
    Assembler assembler;
    assembler.add("outbox", "one", "1");
    assembler.add("meta", "two", "2");
    const Contents contents = std::move(assembler).finish();
    REQUIRE(contents.damages.size() == 2);
    CHECK(contents.damages[0].where == "table outbox, key 6f6e65");
    CHECK(contents.damages[0].what == "the table is unknown");
    CHECK(contents.damages[1].where == "table meta, key 74776f");
    CHECK(contents.damages[1].what == "its key is no key of this table");
}

TEST_CASE("of very many damages the first ones are listed") {
    Assembler assembler;
    for (std::size_t i = 0; i < limits::damages_max + 10; ++i)
        assembler.add_damage("page " + std::to_string(i), "rubbish");
    const Contents contents = std::move(assembler).finish();
    REQUIRE(contents.damages.size() == limits::damages_max);
    CHECK(contents.damages.back().where == "page " + std::to_string(limits::damages_max - 1));
}
