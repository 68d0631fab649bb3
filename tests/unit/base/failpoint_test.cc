#include "base/failpoint.h"

#include <cstdlib>
#include <set>
#include <string_view>

#include <catch2/catch.hpp>

#include "tests/unit/base/child.h"

using namespace pawl;
using test::Ended;
using test::run_in_child;

namespace {

// Hits "before:x" three times, with PAWL_FAILPOINT as given; a refusal to arm is written to stderr.
Ended hits_with(const char* setting) {
    return run_in_child([setting] {
        ::setenv("PAWL_FAILPOINT", setting, 1);
        const Result<void> armed = failpoint::arm({"before:x", "after:x"});
        if (!armed) {
            std::fputs(armed.error().message.c_str(), stderr);
            return;
        }
        for (int i = 1; i <= 3; ++i) {
            failpoint::hit("after:y");
            failpoint::hit("before:x");
            std::fprintf(stderr, "passed %d\n", i);
        }
    });
}

}  // namespace

TEST_CASE("without the environment nothing is armed") {
    const Ended ended = run_in_child([] {
        ::unsetenv("PAWL_FAILPOINT");
        if (failpoint::arm({"before:x"})) failpoint::hit("before:x");
    });
    CHECK(ended.signal == 0);
    CHECK(ended.stderr_text.empty());
}

TEST_CASE("each adapter point has one name and says when it is hit") {
    const std::set<std::string_view> names(failpoint::adapter_points.begin(),
                                           failpoint::adapter_points.end());
    CHECK(names.size() == failpoint::adapter_points.size());
    for (const std::string_view name : names)
        CHECK((name.starts_with("before:") || name.starts_with("during:") || name.starts_with("after:")));
}

#ifdef PAWL_FAILPOINTS

TEST_CASE("counting kills nothing and names each known point with its hits at the end") {
    const Ended ended = run_in_child([] {
        ::setenv("PAWL_FAILPOINT", "count", 1);
        if (!failpoint::arm({"before:x", "after:x"})) return;
        for (const char* const name : {"before:x", "after:y", "before:x"})
            failpoint::hit(name);
        std::exit(0);
    });
    CHECK(ended.signal == 0);
    CHECK(ended.stderr_text == "failpoint after:x 0\nfailpoint before:x 2\n");
}

TEST_CASE("an adapter point kills by its name") {
    const Ended ended = run_in_child([] {
        ::setenv("PAWL_FAILPOINT", "before:prune:1", 1);
        if (failpoint::arm({"before:prune"})) failpoint::at("before:prune");
    });
    CHECK(ended.signal == SIGKILL);
    CHECK(ended.stderr_text == "failpoint before:prune\n");
}

TEST_CASE("the chosen hit of the chosen point kills after naming itself") {
    const Ended ended = hits_with("before:x:2");
    CHECK(ended.signal == SIGKILL);
    CHECK(ended.stderr_text == "passed 1\nfailpoint before:x\n");
}

TEST_CASE("a point that is hit too seldom does nothing") {
    const Ended ended = hits_with("before:x:4");
    CHECK(ended.signal == 0);
    CHECK(ended.stderr_text == "passed 1\npassed 2\npassed 3\n");
}

TEST_CASE("an unknown name or count refuses to start") {
    for (const char* const setting :
         {"before:z:1", "before:x", "before:x:0", "before:x:-1", "before:x:two", "", ":"})
        CHECK_THAT(hits_with(setting).stderr_text, Catch::Contains("names no crash point"));
}

#else

TEST_CASE("a build without crash points cannot be told to crash") {
    const Ended ended = hits_with("before:x:1");
    CHECK(ended.signal == 0);
    CHECK(ended.stderr_text == "passed 1\npassed 2\npassed 3\n");
}

#endif
