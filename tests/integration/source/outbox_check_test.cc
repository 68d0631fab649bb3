// `pawl check` in outbox mode.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "source/check.h"
#include "source/mariadb_source.h"
#include "tests/integration/source/private_server.h"
#include "tests/integration/source/triggered_outbox.h"

using namespace pawl;
using namespace pawl::test;
using source::Finding;

namespace {

using Texts = std::vector<std::string>;

// "E message; advice", "W message; advice"
Texts lines_of(const config::MariaDb& settings, const config::Pipeline& pipeline) {
    source::Interrupt interrupt;
    Texts lines;
    for (const Finding& finding : source::check(settings, pipeline, interrupt))
        lines.push_back((finding.weight == Finding::Weight::error ? "E " : "W ") + to_line(finding.error));
    return lines;
}

std::string only_line(const Texts& lines) {
    INFO(Catch::Detail::stringify(lines));
    REQUIRE(lines.size() == 1);
    return lines.front();
}

struct Lex {
    explicit Lex(std::string_view columns = usual_columns) {
        database.execute(fmt::format("CREATE TABLE lex ({})", columns));
    }
    explicit Lex(config::MariaDb server) : database(std::move(server)) {
        database.execute(fmt::format("CREATE TABLE lex ({})", usual_columns));
    }
    static constexpr std::string_view usual_columns = "id INT PRIMARY KEY, word VARCHAR(20)";
    Texts lines() { return lines_of(database.settings(), pipeline); }
    std::string line() { return only_line(lines()); }
    TestDatabase database;
    config::Pipeline pipeline = outbox_pipeline();
};

constexpr auto outbox_sql =
    "CREATE TABLE pawl_outbox_lex (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, entity {})";

}  // namespace

TEST_CASE("nothing is wrong with what outbox-sql has made, also for an ordinary user") {
    Lex lex;
    lex.database.execute(
        "CREATE TABLE sense (id INT PRIMARY KEY, lex_id INT, FOREIGN KEY (lex_id) REFERENCES lex "
        "(id))");
    lex.pipeline.source.outbox->joined = {joined_table("sense", {"lex_id"})};
    set_up(lex.database, lex.pipeline);
    CHECK(lex.lines().empty());
    const Texts grants{"SELECT, TRIGGER ON {}.lex", "SELECT, TRIGGER ON {}.sense",
                       "SELECT, INSERT, DELETE ON {}.pawl_outbox_lex"};
    CHECK(lines_of(lex.database.user_with(grants), lex.pipeline).empty());
    CHECK(lex.database.value("SELECT COUNT(*) FROM pawl_outbox_lex") == "0");
}

TEST_CASE("a missing outbox is an error that names outbox-sql") {
    Lex lex;
    CHECK_THAT(lex.line(), Catch::StartsWith("E there is no outbox") && Catch::Contains("pawl_outbox_lex") &&
                               Catch::Contains("pawl outbox-sql --apply"));
}

TEST_CASE("an outbox without triggers is an error, but for one that the application writes") {
    Lex lex;
    lex.database.execute(fmt::format(outbox_sql, "INT"));
    CHECK_THAT(lex.line(), Catch::StartsWith("E no trigger") && Catch::Contains("pawl outbox-sql --apply") &&
                               Catch::Contains("writes_outbox = \"application\""));
    lex.pipeline.source.outbox->writer = config::OutboxWriter::application;
    CHECK(lex.lines().empty());
}

TEST_CASE("triggers of an application's own are an outbox's, too") {
    Lex lex;
    lex.database.execute(fmt::format(outbox_sql, "INT"));
    lex.database.execute(
        "CREATE TRIGGER own AFTER INSERT ON lex FOR EACH ROW INSERT INTO pawl_outbox_lex "
        "(entity) VALUES (NEW.id)");
    CHECK(lex.lines().empty());
    lex.database.execute("ALTER TABLE lex RENAME TO lex_old");
    lex.database.execute("CREATE TABLE lex LIKE lex_old");
    CHECK_THAT(lex.line(), Catch::StartsWith("E triggers of tables") && Catch::Contains("own on lex_old"));
    lex.pipeline.source.outbox->writer = config::OutboxWriter::application;
    CHECK_THAT(lex.line(), Catch::StartsWith("W triggers of tables"));
}

TEST_CASE("a rebuild that was left unfinished is a warning, for its table grows") {
    Lex lex;
    set_up(lex.database, lex.pipeline);
    lex.database.execute("CREATE TABLE pawl_outbox_lex_rebuild LIKE pawl_outbox_lex");
    CHECK_THAT(lex.line(), Catch::StartsWith("W table") &&
                               Catch::Contains("pawl_outbox_lex_rebuild is there") &&
                               Catch::Contains("pawl rebuild --abort"));
}

TEST_CASE("some triggers that are missing are an error") {
    Lex lex;
    set_up(lex.database, lex.pipeline);
    lex.database.execute("DROP TRIGGER pawl_lex_update");
    CHECK_THAT(lex.line(), Catch::StartsWith("E triggers") && Catch::EndsWith("administrator") &&
                               Catch::Contains("are missing") && Catch::Contains(": pawl_lex_update;"));
}

TEST_CASE("triggers of before the config changed are outdated, those of tables that it has left are named") {
    Lex lex;
    lex.database.execute("CREATE TABLE sense (id INT PRIMARY KEY, lex_id INT, other_id INT)");
    lex.pipeline.source.outbox->joined = {joined_table("sense", {"lex_id"})};
    set_up(lex.database, lex.pipeline);
    lex.pipeline.source.outbox->joined = {joined_table("sense", {"other_id"})};
    CHECK_THAT(lex.line(), Catch::StartsWith("E triggers are not as the config wants them: "
                                             "pawl_outbox_lex_sense_insert"));
    lex.pipeline.source.outbox->joined.clear();
    CHECK_THAT(lex.line(), Catch::StartsWith("W triggers of tables that the config does not name") &&
                               Catch::Contains("pawl_outbox_lex_sense_insert on sense"));
}

TEST_CASE("an outbox that only another table's triggers write to is an error") {
    Lex lex;
    lex.database.execute("CREATE TABLE other (id INT PRIMARY KEY)");
    auto other = outbox_pipeline({"id"}, "other");
    set_up(lex.database, other);
    lex.pipeline.source.outbox->table = "pawl_outbox_other";
    CHECK_THAT(lex.line(),
               Catch::StartsWith("E triggers of tables") && Catch::Contains("pawl_other_insert on other"));
}

TEST_CASE("a foreign trigger of one of pawl's names is an error") {
    Lex lex;
    set_up(lex.database, lex.pipeline);
    lex.database.execute(
        "CREATE OR REPLACE TRIGGER pawl_lex_delete AFTER DELETE ON lex FOR EACH ROW SET @x = 1");
    CHECK_THAT(lex.line(), Catch::StartsWith("E triggers of the names of pawl's own") &&
                               Catch::Contains("pawl_lex_delete"));
}

TEST_CASE("who may not see triggers is told so, and still told when they are missing") {
    Lex lex;
    set_up(lex.database, lex.pipeline);
    const Texts grants{"SELECT ON {}.lex", "SELECT, INSERT, DELETE ON {}.pawl_outbox_lex"};
    CHECK_THAT(only_line(lines_of(lex.database.user_with(grants), lex.pipeline)),
               Catch::StartsWith("W the user") && Catch::Contains("pawl_lex_insert, pawl_lex_update") &&
                   Catch::Contains("GRANT TRIGGER"));
    lex.database.execute("DROP TRIGGER pawl_lex_update");
    const auto lines = lines_of(lex.database.user_with(grants), lex.pipeline);
    REQUIRE(lines.size() == 2);
    CHECK_THAT(lines[0], Catch::StartsWith("E triggers") && Catch::Contains(": pawl_lex_update;"));
}

TEST_CASE("each privilege on the outbox that is missing is named") {
    Lex lex;
    set_up(lex.database, lex.pipeline);
    const auto [grants, privilege] =
        GENERATE(table<std::string, std::string>({{"SELECT, INSERT", "DELETE"},
                                                  {"SELECT, DELETE", "INSERT"},
                                                  {"SELECT (id), INSERT, DELETE", "SELECT"}}));
    const auto user =
        lex.database.user_with({"SELECT, TRIGGER ON {}.lex", grants + " ON {}.pawl_outbox_lex"});
    CHECK_THAT(only_line(lines_of(user, lex.pipeline)),
               Catch::StartsWith("E ") && Catch::Contains("GRANT " + privilege + " ON `"));
}

TEST_CASE("an outbox's columns: what cannot hold or compare is an error, what is merely wider a warning") {
    const auto [key, entity, begin, word] =
        GENERATE(table<std::string, std::string, std::string, std::string>(
            {{"INT", "BIGINT", "W", "MODIFY `entity` int(11) NOT NULL"},
             {"BIGINT", "INT", "E", "does not hold every value"},
             {"INT", "VARCHAR(20)", "E", "does not hold every value"},
             {"VARCHAR(20)", "VARCHAR(30)", "W", "varchar(20)"},
             {"VARCHAR(20)", "VARCHAR(10)", "E", "does not hold every value"},
             {"VARCHAR(20)", "VARCHAR(20) COLLATE utf8mb4_bin", "E", "cannot be compared"},
             {"VARCHAR(20)", "VARCHAR(20) CHARACTER SET latin1", "E", "does not hold every value"}}));
    CAPTURE(key, entity);
    Lex lex(fmt::format("id {} PRIMARY KEY, word VARCHAR(20)", key));
    lex.database.execute(fmt::format(outbox_sql, entity));
    const auto lines = lex.lines();
    REQUIRE(lines.size() == 2);  // and that there are no triggers
    CHECK_THAT(lines[0], Catch::StartsWith(begin) && Catch::Contains(word));
}

TEST_CASE("an outbox's id must be handed out by the server") {
    Lex lex;
    const auto [sql, begin, word] = GENERATE(table<std::string, std::string, std::string>(
        {{"id BIGINT PRIMARY KEY, entity INT", "E", "AUTO_INCREMENT"},
         {"number BIGINT AUTO_INCREMENT PRIMARY KEY, entity INT", "E", "no column 'id'"},
         {"id INT AUTO_INCREMENT PRIMARY KEY, entity INT", "W", "runs out of ids"},
         {"id BIGINT AUTO_INCREMENT PRIMARY KEY, lex INT", "E", "no column 'entity'"}}));
    CAPTURE(sql);
    lex.database.execute(fmt::format("CREATE TABLE pawl_outbox_lex ({})", sql));
    const auto lines = lex.lines();
    REQUIRE(lines.size() == 2);
    CHECK_THAT(lines[0], Catch::StartsWith(begin) && Catch::Contains(word));
}

TEST_CASE("tables that are not InnoDB's are refused") {
    Lex lex;
    lex.database.execute(fmt::format(outbox_sql, "INT") + " ENGINE = MyISAM");
    lex.database.execute("CREATE TABLE sense (id INT PRIMARY KEY, lex_id INT) ENGINE = Aria");
    lex.pipeline.source.outbox->joined = {joined_table("sense", {"lex_id"})};
    const auto lines = lex.lines();
    CHECK(std::ranges::count_if(lines,
                                [](const auto& line) { return line.find("the engine") != line.npos; }) == 2);
}

TEST_CASE("foreign keys that change rows without triggers are named") {
    Lex lex;
    lex.database.execute(
        "CREATE TABLE sense (id INT PRIMARY KEY, lex_id INT, CONSTRAINT away FOREIGN KEY (lex_id) "
        "REFERENCES lex (id) ON DELETE SET NULL)");
    lex.pipeline.source.outbox->joined = {joined_table("sense", {"lex_id"})};
    set_up(lex.database, lex.pipeline);
    CHECK_THAT(lex.line(),
               Catch::StartsWith("W table") &&
                   Catch::Contains("sense, foreign key away: ON DELETE SET NULL: InnoDB runs no"));
    const Texts grants{"SELECT, TRIGGER ON {}.lex", "SELECT, TRIGGER ON {}.sense",
                       "SELECT, INSERT, DELETE ON {}.pawl_outbox_lex"};
    CHECK_THAT(only_line(lines_of(lex.database.user_with(grants), lex.pipeline)), Catch::Contains("away"));
}

TEST_CASE("documents are looked for in the view") {
    Lex lex;
    set_up(lex.database, lex.pipeline);
    lex.pipeline.source.outbox->view = "lex_document";
    CHECK_THAT(lex.line(), Catch::Contains("there is no table") && Catch::Contains("pipeline.source.view"));
    lex.database.execute("CREATE VIEW lex_document AS SELECT id, CONCAT(word, '!') AS text FROM lex");
    CHECK(lex.lines().empty());
    lex.pipeline.document.body = "word";
    CHECK_THAT(lex.line(), Catch::Contains("lex_document has no column 'word'"));
    lex.pipeline.document.body = "text";
    CHECK(lex.lines().empty());
    lex.database.execute("CREATE OR REPLACE VIEW lex_document AS SELECT word AS text FROM lex");
    CHECK_THAT(lex.line(), Catch::Contains("lex_document has no column 'id'"));
}

TEST_CASE(
    "a replica is refused, also where the user may not see its status, and one that may be one warned of") {
    PrivateServer primary({"--server-id=1", "--log-bin=log-bin"});
    PrivateServer replica({"--server-id=2"});
    Writer(primary.settings()).execute("CREATE USER replicator@'%' IDENTIFIED BY 'secret'");
    Writer(primary.settings()).execute("GRANT REPLICATION SLAVE ON *.* TO replicator@'%'");
    Lex lex(replica.settings());
    set_up(lex.database, lex.pipeline);
    const auto user =
        lex.database.user_with({"SELECT, TRIGGER ON {}.lex", "SELECT, INSERT, DELETE ON {}.pawl_outbox_lex"});
    const auto lines = [&] { return lines_of(user, lex.pipeline); };
    CHECK(lines().empty());
    lex.database.execute(fmt::format(
        "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, MASTER_USER = 'replicator', "
        "MASTER_PASSWORD = 'secret', MASTER_LOG_FILE = 'log-bin.000001', MASTER_LOG_POS = 4",
        primary.port()));
    lex.database.execute("SET GLOBAL read_only = 1");
    CHECK_THAT(only_line(lines()), Catch::StartsWith("W MariaDB") && Catch::Contains("may be a replica") &&
                                       Catch::Contains("GRANT SLAVE MONITOR"));
    CHECK_THAT(lex.line(), Catch::StartsWith("E MariaDB") && Catch::Contains("is a replica"));
    lex.database.execute("START SLAVE");
    CHECK_THAT(only_line(lines()), Catch::StartsWith("E MariaDB") && Catch::Contains("is a replica"));
}

TEST_CASE("a server that can log no clean-up is refused") {
    PrivateServer server({"--server-id=1", "--log-bin=log-bin", "--binlog-format=STATEMENT"});
    Lex lex(server.settings());
    set_up(lex.database, lex.pipeline);
    CHECK_THAT(lex.line(), Catch::StartsWith("E MariaDB") && Catch::Contains("error 1665") &&
                               Catch::Contains("set binlog_format = MIXED or ROW"));
    CollectingInbox inbox;
    source::MariaDbSource source(lex.database.settings(), lex.pipeline, inbox);
    source.prepare();
    CHECK(std::get<engine::SourceFailed>(inbox.next()).error.kind == ErrorKind::invalid);
    lex.database.execute("SET GLOBAL binlog_format = MIXED");
    CHECK(lex.lines().empty());
}

TEST_CASE("an id of two texts may be that of two rows: a warning") {
    Lex lex("a VARCHAR(9), b VARCHAR(9), PRIMARY KEY (a, b)");
    lex.pipeline = outbox_pipeline({"a", "b"});
    set_up(lex.database, lex.pipeline);
    CHECK_THAT(lex.line(), Catch::StartsWith("W several columns of \"{a}/{b}\" are text"));
}
