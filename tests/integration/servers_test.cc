#include "tests/integration/servers.h"

#include <catch2/catch.hpp>
#include <filesystem>

TEST_CASE("the fixture starts a MariaDB and says where its socket is") {
    const auto server = pawl::test::mariadb_server();
    CHECK(std::filesystem::is_socket(server.socket));
    CHECK(server.port > 0);
}

TEST_CASE("a test whose server does not run fails and says so") {
    // This program's fixture is MariaDB alone.
    CHECK_THROWS_WITH(pawl::test::index_server(), Catch::Contains("PAWL_TEST_INDEX is not set"));
}
