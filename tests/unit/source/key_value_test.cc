#include "source/key_value.h"

#include <catch2/catch.hpp>

using namespace pawl::source;

namespace {

Column column(std::string type, std::string data_type, std::string character_set = {},
              std::string collation = {}) {
    Column made;
    made.name = "k";
    made.type = std::move(type);
    made.data_type = std::move(data_type);
    made.kind = kind_of(made.data_type, made.type);
    made.is_character = !character_set.empty();
    made.character_set = std::move(character_set);
    made.collation = std::move(collation);
    return made;
}

}  // namespace

TEST_CASE("a literal holds any bytes and compares as its column") {
    CHECK(literal(column("int(11)", "int"), "-5") == "-5");
    CHECK(literal(column("varchar(9)", "varchar", "latin1", "latin1_bin"), "a'\xe5") ==
          "_latin1 X'6127e5' COLLATE latin1_bin");
    CHECK(literal(column("binary(2)", "binary"), std::string_view("\0'", 2)) == "X'0027'");
    CHECK(literal(column("date", "date"), "2024-02-29") == "_utf8mb4 X'323032342d30322d3239'");
}

TEST_CASE("what is no number never stands in a statement as one") {
    for (const char* const raw : {"", "1 OR 1", "0x1", "1e5", "'1'"})
        CHECK_FALSE(literal(column("int(11)", "int"), raw));
}

TEST_CASE("hexadecimal digits come back as bytes, and nothing else does") {
    CHECK(to_hex(std::string_view("\0\xffz", 3)) == "00ff7a");
    CHECK(from_hex("00ff7a") == std::string("\0\xffz", 3));
    CHECK(from_hex("") == "");
    for (const char* const digits : {"0", "0g", "-1", "+1", " 1", "0x"})
        CHECK_FALSE(from_hex(digits));
}

TEST_CASE("the same bytes are asked for beside what the key finds") {
    const Column text = column("varchar(9)", "varchar", "utf8mb4", "utf8mb4_general_ci");
    CHECK(same_value(text, "p.k", text, "o.k") == "p.k = o.k AND CAST(p.k AS BINARY) = CAST(o.k AS BINARY)");
    const Column number = column("int(11)", "int");
    CHECK(same_value(number, "p.k", number, "o.k") == "p.k = o.k");
    CHECK(same_value(number, "p.k", text, "o.k") ==
          "p.k = CAST(o.k AS SIGNED) AND CAST(CONVERT(p.k USING utf8mb4) AS BINARY) = CAST(CONVERT(o.k USING "
          "utf8mb4) AS BINARY)");
}
