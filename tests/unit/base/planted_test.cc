#include "base/planted.h"

#include <catch2/catch.hpp>

TEST_CASE("in an ordinary build a planted bug is the constant false, whatever its name") {
    STATIC_REQUIRE(!PAWL_PLANTED(watermark_is_high));
    STATIC_REQUIRE(!PAWL_PLANTED(there_is_no_such_bug));
}
