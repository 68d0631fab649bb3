#include "source/sql.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace pawl::source;
using pawl::engine::Interval;
using pawl::engine::Revision;

TEST_CASE("identifiers are quoted, backticks inside are doubled") {
    CHECK(identifier("a") == "`a`");
    CHECK(identifier("a`; DROP TABLE b; --") == "`a``; DROP TABLE b; --`");
    CHECK(table_identifier("my.db", "t") == "`my.db`.`t`");
}

TEST_CASE("intervals become ranges, single revisions one list") {
    const std::vector<Interval> some{{1, 5}, {7, 7}, {9, 9}, {11, 12}};
    CHECK(among("`id`", some) == "(`id` BETWEEN 1 AND 5 OR `id` BETWEEN 11 AND 12 OR `id` IN (7,9))");
    const std::vector<Interval> one{{3, 3}};
    CHECK(among("`id`", one) == "(`id` IN (3))");
    const std::vector<Revision> list{1, 9223372036854775807ULL};
    CHECK(among("`id`", list) == "`id` IN (1,9223372036854775807)");
}

TEST_CASE("a revision is read as MariaDB prints it") {
    CHECK(revision_in("9223372036854775807") == 9223372036854775807ULL);
    CHECK(revision_in("0000000042") == 42);
}
