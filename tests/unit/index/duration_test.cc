#include "index/duration.h"

#include <catch2/catch.hpp>

using pawl::index::duration_ms;

TEST_CASE("every unit that Elasticsearch writes is understood") {
    CHECK(duration_ms("60s") == 60'000);
    CHECK(duration_ms("1h") == 3'600'000);
    CHECK(duration_ms("2d") == 172'800'000);
    CHECK(duration_ms("90m") == 5'400'000);
    CHECK(duration_ms("500ms") == 500);
    CHECK(duration_ms("2500micros") == 2);
    CHECK(duration_ms("3000000nanos") == 3);
    CHECK(duration_ms("0") == 0);
    CHECK(duration_ms("-1") == -1);
}

TEST_CASE("what is no time span is nothing") {
    for (const auto* text :
         {"", "s", "60", "60 s", "1.5h", "-5s", "60x", "9223372036854775807d", "99999999999999999999s"})
        CHECK_FALSE(duration_ms(text));
}
