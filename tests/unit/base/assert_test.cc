#include "base/assert.h"

#include <catch2/catch.hpp>

#include "tests/unit/base/child.h"

using pawl::test::Ended;
using pawl::test::run_in_child;

TEST_CASE("a failed assertion aborts and names its expression and place") {
    const Ended ended = run_in_child([] { PAWL_ASSERT(1 + 1 == 3); });
    CHECK(ended.signal == SIGABRT);
    CHECK_THAT(ended.stderr_text, Catch::Contains("1 + 1 == 3") && Catch::Contains("assert_test.cc:"));
}

TEST_CASE("an assertion that holds does nothing") {
    const Ended ended = run_in_child([] { PAWL_ASSERT(1 + 1 == 2); });
    CHECK(ended.signal == 0);
    CHECK(ended.stderr_text.empty());
}
