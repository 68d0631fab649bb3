#include "engine/backoff.h"

#include <catch2/catch.hpp>

using namespace pawl::engine;

TEST_CASE("a back-off doubles up to its maximum and begins again after a reset") {
    Backoff backoff(200, 1'000);
    CHECK_FALSE(backoff.waiting());
    for (const pawl::TimeMs expected : {200, 400, 800, 1'000, 1'000}) {
        const DelayRange delay = backoff.next();
        CHECK(delay.max_ms == expected);
        CHECK(delay.min_ms == expected / 2);
        CHECK(backoff.waiting());
    }
    backoff.reset();
    CHECK_FALSE(backoff.waiting());
    CHECK(backoff.next().max_ms == 200);
}

TEST_CASE("a back-off never waits for nothing, nor overflows") {
    Backoff tiny(1, 1);
    CHECK(tiny.next().min_ms == 1);
    Backoff huge(1, INT64_MAX);
    for (int i = 0; i < 100; ++i)
        CHECK(huge.next().max_ms > 0);
    CHECK(huge.next().max_ms == INT64_MAX);
}
