// What is wrong with a table is said before anything is read, all of it in one go.
#include "source/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

#include "tests/integration/source/private_server.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;
using source::Finding;

namespace {

std::vector<Finding> findings_of(const config::MariaDb& settings,
                                 const config::Pipeline& pipeline = TestDatabase::pipeline()) {
    source::Interrupt interrupt;
    return source::check(settings, pipeline, interrupt);
}

std::string only_line(const std::vector<Finding>& findings) {
    std::string all;
    for (const auto& finding : findings)
        all += to_line(finding.error) + "\n";
    INFO(all);
    REQUIRE(findings.size() == 1);
    return to_line(findings[0].error);
}

// A table like the usual one, but for these columns and options.
std::string line_for_table(std::string_view columns, std::string_view options = "") {
    TestDatabase database;
    database.execute(fmt::format("CREATE TABLE history ({}) {}", columns, options));
    return only_line(findings_of(database.settings()));
}

}  // namespace

TEST_CASE("nothing is wrong with an ordinary history") {
    TestDatabase database;
    database.make_history();
    CHECK(findings_of(database.settings()).empty());
}

TEST_CASE("a missing database or table is named, with near ones") {
    TestDatabase database;
    database.make_history();
    config::Pipeline pipeline = TestDatabase::pipeline();
    pipeline.source.table = "histori";
    CHECK_THAT(only_line(findings_of(database.settings(), pipeline)),
               Catch::Contains("there is no table " + database.name() + ".histori") &&
                   Catch::Contains("such as history"));
    config::MariaDb settings = database.settings();
    settings.database = "no_such_database";
    CHECK_THAT(only_line(findings_of(settings)),
               Catch::Contains("1049") && Catch::Contains("mariadb.database"));
}

TEST_CASE("all missing columns are named at once, each with near ones") {
    TestDatabase database;
    database.make_history();
    config::Pipeline pipeline = TestDatabase::pipeline();
    pipeline.source.revision = "histry_id";
    pipeline.source.deleted = "zzz";
    pipeline.document.body = "bod";
    pipeline.document.fields = {{"f", "entity"}};
    const auto findings = findings_of(database.settings(), pipeline);
    REQUIRE(findings.size() == 4);
    CHECK_THAT(to_line(findings[0].error), Catch::Contains("no column 'histry_id'") &&
                                               Catch::Contains("pipeline.source.revision") &&
                                               Catch::Contains("history_id"));
    CHECK_THAT(to_line(findings[1].error), Catch::Contains("'zzz'") && Catch::Contains("discarded"));
    CHECK_THAT(to_line(findings[2].error),
               Catch::Contains("'bod'") && Catch::Contains("one of its columns: body"));
    CHECK_THAT(to_line(findings[3].error), Catch::Contains("'entity'") && Catch::Contains("fields.f"));
}

TEST_CASE("a revision is a unique integer that is never NULL") {
    CHECK_THAT(
        line_for_table("pk INT PRIMARY KEY, history_id BIGINT NOT NULL, entity_id VARCHAR(99) NOT NULL, "
                       "body TEXT, discarded BOOL, KEY (entity_id), KEY (history_id)"),
        Catch::Contains("unique by itself"));
    CHECK_THAT(
        line_for_table("history_id INT NOT NULL, entity_id VARCHAR(99) NOT NULL, body TEXT, discarded BOOL, "
                       "KEY (entity_id), PRIMARY KEY (history_id, entity_id)"),
        Catch::Contains("unique by itself"));
    CHECK_THAT(
        line_for_table("history_id VARCHAR(20) PRIMARY KEY, entity_id VARCHAR(99) NOT NULL, body TEXT, "
                       "discarded BOOL, KEY (entity_id)"),
        Catch::Contains("varchar(20) cannot be a revision"));
    CHECK_THAT(
        line_for_table("history_id BIGINT UNIQUE, entity_id VARCHAR(99) NOT NULL, body TEXT, discarded BOOL, "
                       "KEY (entity_id)"),
        Catch::Contains("must be NOT NULL"));
}

TEST_CASE("an entity's id is text, an integer or a UUID, with a key and never NULL") {
    CHECK_THAT(line_for_table(
                   "history_id INT PRIMARY KEY, entity_id VARCHAR(99) NOT NULL, body TEXT, discarded BOOL"),
               Catch::Contains("no key begins with it") && Catch::Contains("CREATE INDEX `entity_id` ON"));
    CHECK_THAT(line_for_table("history_id INT PRIMARY KEY, entity_id VARCHAR(99), body TEXT, discarded BOOL, "
                              "KEY (entity_id)"),
               Catch::Contains("entity_id: an entity's id must be NOT NULL"));
    CHECK_THAT(line_for_table("history_id INT PRIMARY KEY, entity_id VARBINARY(99) NOT NULL, body TEXT, "
                              "discarded BOOL, KEY (entity_id)"),
               Catch::Contains("varbinary(99) cannot be an entity's id"));
    CHECK_THAT(
        line_for_table("history_id INT PRIMARY KEY, entity_id TEXT NOT NULL, body TEXT, discarded BOOL, "
                       "KEY (entity_id(10))"),
        Catch::Contains("only the beginning"));
}

TEST_CASE("only InnoDB base tables are read") {
    CHECK_THAT(line_for_table("history_id INT PRIMARY KEY, entity_id VARCHAR(99) NOT NULL, body TEXT, "
                              "discarded BOOL, KEY (entity_id)",
                              "ENGINE = MyISAM"),
               Catch::Contains("engine MyISAM") && Catch::Contains("ENGINE = InnoDB"));
    TestDatabase database;
    database.execute(fmt::format("CREATE TABLE base ({})", history_columns));
    database.execute("CREATE VIEW history AS SELECT * FROM base");
    const auto findings = findings_of(database.settings());
    REQUIRE_FALSE(findings.empty());
    CHECK_THAT(findings[0].error.message, Catch::Contains("is a VIEW"));
}

TEST_CASE("a column that cannot be JSON is refused only where it is read") {
    TestDatabase database;
    database.make_history(fmt::format("{}, place POINT", history_columns));
    CHECK(findings_of(database.settings()).empty());
    config::Pipeline pipeline = TestDatabase::pipeline();
    pipeline.document.body.clear();
    CHECK_THAT(only_line(findings_of(database.settings(), pipeline)),
               Catch::Contains("column place: pawl cannot turn point"));
}

TEST_CASE("odd settings are refused") {
    TestDatabase database;
    database.make_history();
    config::Pipeline pipeline = TestDatabase::pipeline();
    pipeline.document.fields = {{"a", "entity_id"}};
    pipeline.document.constants = {{"a", "1"}};
    CHECK_THAT(only_line(findings_of(database.settings(), pipeline)), Catch::Contains("the key 'a' twice"));
    pipeline = TestDatabase::pipeline();
    pipeline.source.deleted = "body";
    CHECK_THAT(only_line(findings_of(database.settings(), pipeline)), Catch::Contains("cannot say whether"));
    pipeline = TestDatabase::pipeline();
    pipeline.document.body = "history_id";
    CHECK_THAT(only_line(findings_of(database.settings(), pipeline)),
               Catch::Contains("cannot hold a document"));
}

TEST_CASE("revisions that the index cannot take, or that would never be read, are refused") {
    TestDatabase database;
    database.make_history();
    database.execute("INSERT INTO history (history_id, entity_id) VALUES (9223372036854775808, 'a')");
    CHECK_THAT(only_line(findings_of(database.settings())), Catch::Contains("above 9223372036854775807"));
    TestDatabase other;
    other.make_history(
        "history_id INT PRIMARY KEY, entity_id INT NOT NULL, body TEXT, discarded BOOL, KEY (entity_id)");
    other.execute("INSERT INTO history (history_id, entity_id) VALUES (0, 1)");
    CHECK_THAT(only_line(findings_of(other.settings())), Catch::Contains("below 1"));
}

TEST_CASE("missing privileges are named") {
    TestDatabase database;
    database.make_history();
    CHECK_THAT(only_line(findings_of(database.user_with({}))), Catch::Contains("1044"));
    CHECK_THAT(only_line(findings_of(database.user_with({"LOCK TABLES ON {}.*"}))),
               Catch::Contains("1142") && Catch::Contains("GRANT SELECT"));
    const auto column_only = findings_of(database.user_with(
        {"SELECT (history_id, entity_id, discarded) ON {}.history", "LOCK TABLES ON {}.*"}));
    REQUIRE_FALSE(column_only.empty());
    CHECK_THAT(column_only[0].error.message, Catch::Contains("no column 'body'"));
    const auto no_lock = findings_of(database.user_with({"SELECT ON {}.history"}));
    CHECK_THAT(only_line(no_lock), Catch::Contains("may not LOCK TABLES"));
    CHECK(no_lock[0].weight == Finding::Weight::warning);
    CHECK(findings_of(database.user_with({"SELECT ON {}.history", "LOCK TABLES ON {}.*"})).empty());
}

TEST_CASE("a JSON column is known as such to a user with few privileges") {
    TestDatabase database;
    database.make_history(fmt::format("{}, extra JSON", history_columns));
    database.execute("INSERT INTO history (entity_id, body, extra) VALUES ('e', '{}', '[1]')");
    config::Pipeline pipeline = TestDatabase::pipeline();
    pipeline.document.fields = {{"x", "extra"}};
    const auto page = read_page(database.user_with({"SELECT ON {}.history"}), pipeline, everything());
    CHECK(page->rows().at(0).document == R"({"x":[1]})");
}

TEST_CASE("a writer at work does not look like a missing privilege") {
    TestDatabase database;
    database.make_history();
    Writer writer(database.settings());
    writer.execute("START TRANSACTION");
    writer.execute("INSERT INTO history (entity_id, body) VALUES ('a', '{}')");
    CHECK(findings_of(database.settings()).empty());
}

TEST_CASE("a replica is refused, a server that only may be one is warned of") {
    PrivateServer server({"--server-id=2"});
    TestDatabase database(server.settings());
    database.make_history();
    CHECK(findings_of(database.settings()).empty());
    database.execute("SET GLOBAL read_only = 1");
    const auto user = database.user_with({"SELECT ON {}.history", "LOCK TABLES ON {}.*"});
    CHECK_THAT(only_line(findings_of(user)), Catch::Contains("may be a replica"));
    database.execute("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1");
    const std::string line = only_line(findings_of(database.settings()));
    CHECK_THAT(line, Catch::Contains("is a replica") && Catch::Contains("outbox mode"));
}

TEST_CASE(
    "a replica that follows a real primary is refused, running or stopped, and fit once it has let go") {
    PrivateServer primary({"--server-id=1", "--log-bin=log-bin"});
    PrivateServer replica({"--server-id=2"});
    TestDatabase written(primary.settings());
    written.make_history();
    written.execute("CREATE USER replicator@'%' IDENTIFIED BY 'secret'");
    written.execute("GRANT REPLICATION SLAVE ON *.* TO replicator@'%'");
    TestDatabase followed(replica.settings());
    followed.execute(fmt::format(
        "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = 'replicator', "
        "MASTER_PASSWORD = 'secret', MASTER_LOG_FILE = 'log-bin.000001', MASTER_LOG_POS = 4",
        primary.port()));
    followed.execute("START SLAVE");
    written.execute("INSERT INTO history (entity_id, body) VALUES ('a', '{}')");
    const std::string position = written.value("SELECT @@gtid_binlog_pos");
    REQUIRE(followed.value(fmt::format("SELECT MASTER_GTID_WAIT('{}', 60)", position)) == "0");
    config::MariaDb settings = replica.settings();
    settings.database = written.name();
    CHECK(findings_of(written.settings()).empty());
    for (const auto* change : {"DO 0", "STOP SLAVE"}) {
        followed.execute(change);
        CHECK_THAT(only_line(findings_of(settings)),
                   Catch::Contains("is a replica") && Catch::Contains("outbox mode"));
    }
    followed.execute("RESET SLAVE ALL");
    CHECK(findings_of(settings).empty());
}

TEST_CASE("a Galera node is refused") {
    const int port = free_port();
    PrivateServer node({"--wsrep-on=ON", "--wsrep-provider=/usr/lib/galera/libgalera_smm.so",
                        "--wsrep-cluster-address=gcomm://", "--binlog-format=ROW",
                        "--wsrep-node-address=127.0.0.1",
                        fmt::format("--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{}", port)});
    {  // it takes connections before it takes statements
        Writer watcher(node.settings());
        const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        while (watcher.connection().rows("SHOW STATUS LIKE 'wsrep_ready'")->at(0).at(1) != "ON")
            REQUIRE(std::chrono::steady_clock::now() < end);
    }
    TestDatabase database(node.settings());
    database.make_history();
    CHECK_THAT(only_line(findings_of(database.settings())),
               Catch::Contains("is a Galera node") && Catch::Contains("outbox mode"));
}
