#include <catch2/catch.hpp>

#include "tests/integration/servers.h"

TEST_CASE("the fixture starts the search server that the test is named for") {
    const auto server = pawl::test::index_server();
    CHECK_THAT(server.url, Catch::StartsWith("http://127.0.0.1:"));
    CHECK(!server.name.empty());
}
