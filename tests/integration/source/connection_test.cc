#include "source/connection.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "tests/integration/source/private_server.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;

namespace {

Error error_of(const config::MariaDb& settings) {
    source::Interrupt interrupt;
    const auto connection = source::Connection::open(settings, interrupt);
    REQUIRE_FALSE(connection.has_value());
    return connection.error();
}

}  // namespace

TEST_CASE("a wrong password is forbidden, and is not in the message") {
    TestDatabase database;
    config::MariaDb settings = database.user_with({"SELECT ON {}.*"});
    settings.password = config::Secret("hunter2");
    const Error error = error_of(settings);
    CHECK(error.kind == ErrorKind::forbidden);
    CHECK_THAT(error.message, Catch::Contains("1045"));
    CHECK_THAT(to_line(error), Catch::Contains("password_file") && !Catch::Contains("hunter2"));
}

TEST_CASE("a server that is not there is unavailable") {
    config::MariaDb settings;
    settings.socket = "/nowhere/mysqld.sock";
    CHECK(error_of(settings).kind == ErrorKind::unavailable);
    CHECK_THAT(error_of(settings).message, Catch::Contains("/nowhere/mysqld.sock"));
    settings.socket.clear();
    settings.port = 1;
    CHECK(error_of(settings).kind == ErrorKind::unavailable);
    CHECK_THAT(error_of(settings).message, Catch::Contains("127.0.0.1:1"));
}

TEST_CASE("the session is UTC, utf8mb4, REPEATABLE READ and sends no local files") {
    TestDatabase database;
    CHECK(database.value("SELECT @@time_zone") == "+00:00");
    CHECK(database.value("SELECT @@character_set_results") == "utf8mb4");
    CHECK(database.value("SELECT @@tx_isolation") == "REPEATABLE-READ");
    database.execute("CREATE TABLE t (a TEXT)");
    CHECK_FALSE(database.connection().execute("LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t"));
}

TEST_CASE("a triggered interrupt ends a statement at once, and every later one") {
    TestDatabase database;
    source::Interrupt interrupt;
    auto connection = source::Connection::open(database.settings(), interrupt);
    REQUIRE(connection.has_value());
    const auto begin = std::chrono::steady_clock::now();
    std::thread other([&] { interrupt.trigger(); });
    const auto rows = connection->rows("SELECT SLEEP(30)");
    other.join();
    CHECK_FALSE(rows.has_value());
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK_FALSE(connection->rows("SELECT 1").has_value());
}

TEST_CASE("an answer that does not come in time is unavailable") {
    TestDatabase database;
    config::MariaDb settings = database.settings();
    settings.read_timeout_ms = 1'000;
    source::Interrupt interrupt;
    auto connection = source::Connection::open(settings, interrupt);
    REQUIRE(connection.has_value());
    const auto rows = connection->rows("SELECT SLEEP(30)");
    REQUIRE_FALSE(rows.has_value());
    CHECK(rows.error().kind == ErrorKind::unavailable);
}

TEST_CASE("TLS: the certificate must come from ca_file and name the host") {
    PrivateServer server({}, true);
    config::MariaDb settings = server.tls_settings();
    source::Interrupt interrupt;
    {
        auto connection = source::Connection::open(settings, interrupt);
        if (!connection) FAIL(to_line(connection.error()));
        const auto cipher = connection->rows("SHOW STATUS LIKE 'Ssl_cipher'");
        REQUIRE(cipher.has_value());
        CHECK_FALSE(cipher->at(0).at(1)->empty());
    }
    settings.host = "127.0.0.1";
    CHECK_THAT(to_line(error_of(settings)), Catch::Contains("2026") && Catch::Contains("ca_file"));
    settings.host = "localhost";
    settings.ca_file = (server.folder() / "other.pem").string();
    CHECK_THAT(to_line(error_of(settings)), Catch::Contains("2026"));
    settings.ca_file = (server.folder() / "missing.pem").string();
    CHECK_THAT(to_line(error_of(settings)), Catch::Contains("2026"));
}

TEST_CASE("TLS that is asked for is not given up when the server has none") {
    TestDatabase database;
    REQUIRE(database.value("SELECT @@have_ssl") != "YES");
    config::MariaDb settings = database.settings();
    settings.tls = true;
    CHECK(error_of(settings).kind == ErrorKind::forbidden);
    CHECK_THAT(to_line(error_of(settings)), Catch::Contains("offers no TLS"));
}

TEST_CASE("statements that are sent together run in order and end with the first that fails") {
    TestDatabase database;
    auto& connection = database.connection();
    const std::vector<std::string> statements{"CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), (2)",
                                              "SELECT a FROM t", "SELECT * FROM missing", "DROP TABLE t"};
    const auto answers = connection.together(statements);
    REQUIRE(answers.has_value());
    REQUIRE(answers->rows.size() == 3);
    CHECK(answers->rows[0].empty());
    CHECK(answers->rows[2].size() == 2);
    CHECK(answers->number == 1146);
    CHECK(answers->error->kind == ErrorKind::invalid);
    const auto whole = connection.together(std::span(statements).subspan(2, 1));
    REQUIRE(whole.has_value());
    CHECK(whole->rows.size() == 1);
    CHECK_FALSE(whole->error.has_value());
    CHECK(database.value("SELECT COUNT(*) FROM t") == "2");
}

TEST_CASE("a statement that was smuggled into another is refused, also after several were sent together") {
    TestDatabase database;
    auto& connection = database.connection();
    const std::string_view two = "SELECT 1; SELECT 2";
    CHECK_FALSE(connection.rows(two).has_value());
    const std::vector<std::string> statements{"SELECT 1", "SELECT 2"};
    REQUIRE(connection.together(statements).has_value());
    CHECK_FALSE(connection.rows(two).has_value());
    const std::vector<std::string> failing{"SELECT 1", "SELECT * FROM missing", "SELECT 2"};
    REQUIRE(connection.together(failing).has_value());
    CHECK_FALSE(connection.rows(two).has_value());
    CHECK(database.value("SELECT 3") == "3");
}

TEST_CASE("a connection that is lost among several statements is an error of the whole") {
    TestDatabase database;
    source::Interrupt interrupt;
    auto connection = source::Connection::open(database.settings(), interrupt);
    REQUIRE(connection.has_value());
    const std::vector<std::string> statements{"SELECT 1", "SELECT SLEEP(30)", "SELECT 2"};
    std::thread other([&] { interrupt.trigger(); });
    const auto answers = connection->together(statements);
    other.join();
    REQUIRE_FALSE(answers.has_value());
    CHECK(answers.error().kind == ErrorKind::unavailable);
}
