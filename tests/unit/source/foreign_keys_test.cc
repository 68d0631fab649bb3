#include "source/foreign_keys.h"

#include <catch2/catch.hpp>

using namespace pawl::source;

TEST_CASE("foreign keys that change rows are found in a table's definition, others are not") {
    const auto cascades = cascades_in(
        "CREATE TABLE `sense` (\n"
        "  `id` int(11) NOT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY (`a`) ON DELETE CASCADE',\n"
        "  CONSTRAINT `a``(b)` FOREIGN KEY (`lex_id`) REFERENCES `lex` (`id`) ON DELETE CASCADE,\n"
        "  CONSTRAINT `plain` FOREIGN KEY (`lex_id`) REFERENCES `cascade` (`id`),\n"
        "  CONSTRAINT `no` FOREIGN KEY (`c`) REFERENCES `p` (`id`) ON DELETE NO ACTION,\n"
        "  CONSTRAINT `null` FOREIGN KEY (`d`, `e`) REFERENCES `p)` (`id`, `e`) ON DELETE SET NULL ON UPDATE "
        "CASCADE,\n"
        "  CONSTRAINT `up` FOREIGN KEY (`d`) REFERENCES `p` (`id`) ON UPDATE CASCADE,\n"
        "  CONSTRAINT `check` CHECK (`a` <> ' CASCADE')\n"
        ") ENGINE=InnoDB");
    REQUIRE(cascades.size() == 3);
    CHECK(cascades[0].constraint == "a`(b)");
    CHECK(cascades[0].what == "ON DELETE CASCADE");
    CHECK(cascades[1].constraint == "null");
    CHECK(cascades[1].what == "ON DELETE SET NULL ON UPDATE CASCADE");
    CHECK(cascades[2].constraint == "up");
    CHECK(cascades_in("").empty());
}
