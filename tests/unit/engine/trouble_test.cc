#include "engine/trouble.h"

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::engine;

TEST_CASE("a lane waits from its failure until its timer fires, the others go on") {
    Trouble trouble{Limits{}};
    CHECK(trouble.failed(Lane::read, ErrorKind::unavailable, 10).max_ms == 200);
    CHECK(trouble.waiting(Lane::read));
    CHECK_FALSE(trouble.waiting(Lane::send));
    CHECK_FALSE(trouble.waiting(Lane::prepare));
    trouble.timer_fired(Lane::read);
    CHECK_FALSE(trouble.waiting(Lane::read));
    CHECK(trouble.any());
    CHECK(trouble.failed(Lane::read, ErrorKind::unavailable, 400).max_ms == 400);
    CHECK(trouble.since() == 10);
}

TEST_CASE("trouble ends with the success of the last lane that failed") {
    Trouble trouble{Limits{}};
    CHECK_FALSE(trouble.succeeded(Lane::send));
    (void)trouble.failed(Lane::read, ErrorKind::unavailable, 10);
    (void)trouble.failed(Lane::send, ErrorKind::overloaded, 5);
    CHECK(trouble.since() == 5);
    CHECK_FALSE(trouble.succeeded(Lane::send));
    CHECK(trouble.since() == 10);
    CHECK(trouble.succeeded(Lane::read));
    CHECK_FALSE(trouble.since());
    CHECK(trouble.failed(Lane::read, ErrorKind::unavailable, 20).max_ms == 200);
}

TEST_CASE("a missing privilege is tried again slowly, at once") {
    Trouble trouble{Limits{}};
    const DelayRange delay = trouble.failed(Lane::send, ErrorKind::forbidden, 0);
    CHECK(delay.min_ms == limits::forbidden_retry_ms / 2);
    CHECK(delay.max_ms == limits::forbidden_retry_ms);
}

TEST_CASE("each lane has its timer, and the poll timer is nobody's") {
    for (const Lane lane : {Lane::prepare, Lane::read, Lane::send})
        CHECK(Trouble::lane_of(Trouble::timer_of(lane)) == lane);
    CHECK_FALSE(Trouble::lane_of(Timer::poll));
}
