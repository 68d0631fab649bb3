#include "index/url_rotation.h"

#include <catch2/catch.hpp>

#include "index/limits.h"

using pawl::index::UrlRotation;
namespace limits = pawl::index::limits;

TEST_CASE("requests stay with one URL while it works") {
    UrlRotation rotation(3);
    rotation.succeeded(0);
    CHECK(rotation.pick({false, false, false}, 1) == 0U);
    CHECK(rotation.pick({false, false, false}, 2) == 0U);
}

TEST_CASE("a failure moves requests on to the next URL, and they stay there") {
    UrlRotation rotation(3);
    rotation.failed(0, 1);
    CHECK(rotation.pick({false, false, false}, 2) == 1U);
    CHECK(rotation.pick({false, false, false}, 2 + limits::url_rest_ms) == 1U);
}

TEST_CASE("a resting URL is skipped until its rest is over") {
    UrlRotation rotation(2);
    rotation.failed(1, 0);
    CHECK(rotation.pick({true, false}, 1) == 1U);  // the only one left
    rotation.failed(0, 1);
    CHECK(rotation.pick({false, false}, 2) == 1U);  // it rests for the shorter time
    CHECK(rotation.pick({false, false}, 1 + limits::url_rest_ms) == 1U);
}

TEST_CASE("a request that has tried all URLs gets none") {
    const UrlRotation rotation(2);
    CHECK_FALSE(rotation.pick({true, true}, 0));
}

TEST_CASE("a success ends the rest") {
    UrlRotation rotation(2);
    rotation.failed(1, 0);
    rotation.failed(0, 0);
    rotation.succeeded(0);
    CHECK(rotation.pick({false, false}, 1) == 0U);
}
