#include "journal/assembler.h"

#include <string>

#include <catch2/catch.hpp>

#include "journal/format.h"
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

TEST_CASE("the records add up to the sum of the commit record, where there is one") {
    const std::string header = encode_header({format::version, 1'000, "pawl"});
    const std::uint64_t sum = sum_part_of("meta", "journal", header);
    const auto damages_with = [&](const std::string& commit) {
        Assembler assembler;
        assembler.add("meta", "journal", header);
        if (!commit.empty()) assembler.add("meta", "commit", commit);
        return std::move(assembler).finish().damages.size();
    };
    CHECK(damages_with({}) == 0);  // who reads the file says that it is missing
    CHECK(damages_with(encode_commit(7, sum)) == 0);
    CHECK(damages_with(encode_commit(7, sum + 1)) == 1);
}

TEST_CASE("of very many damages the first ones are listed") {
    Assembler assembler;
    for (std::size_t i = 0; i < limits::damages_max + 10; ++i)
        assembler.add_damage("page " + std::to_string(i), "rubbish");
    const Contents contents = std::move(assembler).finish();
    REQUIRE(contents.damages.size() == limits::damages_max);
    CHECK(contents.damages.back().where == "page " + std::to_string(limits::damages_max - 1));
}
