#include "source/column.h"

#include <catch2/catch.hpp>

using namespace pawl::source;

namespace {

Column of_type(std::string data_type, std::string_view type) {
    Column column;
    column.name = std::string("c");  // g++ 12 warns of the literal without reason (its bug 105651)
    column.kind = kind_of(data_type, type);
    column.data_type = std::move(data_type);
    return column;
}

}  // namespace

TEST_CASE("TINYINT(1) and BIT(1) are booleans, wider ones are not") {
    CHECK(kind_of("tinyint", "tinyint(1)") == ColumnKind::boolean);
    CHECK(kind_of("tinyint", "tinyint(4)") == ColumnKind::integer);
    CHECK(kind_of("tinyint", "tinyint(1) unsigned") == ColumnKind::integer);
    CHECK(kind_of("bit", "bit(1)") == ColumnKind::bit_boolean);
    CHECK(kind_of("bit", "bit(8)") == ColumnKind::bit);
}

TEST_CASE("what MariaDB may add later is not guessed at") {
    CHECK(kind_of("geometry", "point") == ColumnKind::unsupported);
    CHECK(kind_of("vector", "vector(3)") == ColumnKind::unsupported);
}

TEST_CASE("a revision is an integer; an id is text, an integer or a UUID") {
    CHECK(can_be_revision(of_type("bigint", "bigint(20) unsigned")));
    CHECK_FALSE(can_be_revision(of_type("decimal", "decimal(10,0)")));
    CHECK_FALSE(can_be_revision(of_type("year", "year(4)")));
    CHECK(can_be_entity(of_type("varchar", "varchar(36)")));
    CHECK(can_be_entity(of_type("uuid", "uuid")));
    CHECK(can_be_entity(of_type("int", "int(11)")));
    CHECK_FALSE(can_be_entity(of_type("varbinary", "varbinary(16)")));
    CHECK_FALSE(can_be_entity(of_type("double", "double")));
}

TEST_CASE("a FLOAT is asked for with all its digits") {
    CHECK(select_expression(of_type("float", "float")) == "CAST(`c` AS DOUBLE)");
    CHECK(select_expression(of_type("double", "double")) == "`c`");
}
