// What the triggers write for each kind of statement, and what goes past them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "source/sql.h"
#include "tests/integration/source/triggered_outbox.h"

using namespace pawl;
using namespace pawl::test;

namespace {

using Texts = std::vector<std::string>;

// The table `lex (id, word)` with its outbox.
struct Lex {
    explicit Lex(std::string_view columns = "id INT PRIMARY KEY, word VARCHAR(20)") {
        database.execute(fmt::format("CREATE TABLE lex ({}) ENGINE = InnoDB", columns));
        set_up(database, pipeline);
    }
    // What a statement leaves in the outbox.
    Texts after(std::string_view sql) {
        database.execute(sql);
        return take_outbox(database, pipeline);
    }
    TestDatabase database;
    config::Pipeline pipeline = outbox_pipeline();
};

}  // namespace

TEST_CASE("each kind of statement leaves the keys of what it has changed") {
    Lex lex;
    CHECK(lex.after("INSERT INTO lex VALUES (1, 'a')") == Texts{"1"});
    CHECK(lex.after("INSERT INTO lex VALUES (2, 'b'), (3, 'c'), (4, 'd')") == Texts{"2", "3", "4"});
    CHECK(lex.after("INSERT IGNORE INTO lex VALUES (1, 'x'), (5, 'e')") == Texts{"5"});
    CHECK(lex.after("UPDATE lex SET word = 'z' WHERE id > 3") == Texts{"4", "5"});
    CHECK(lex.after("UPDATE lex SET id = 10 WHERE id = 1") == Texts{"10", "1"});
    CHECK(lex.after("REPLACE INTO lex VALUES (2, 'bb')") == Texts{"2", "2"});
    CHECK(lex.after("REPLACE INTO lex VALUES (6, 'f')") == Texts{"6"});
    CHECK(lex.after("INSERT INTO lex VALUES (2, 'x'), (7, 'g') ON DUPLICATE KEY UPDATE word = 'y'") ==
          Texts{"2", "7"});
    CHECK(lex.after("INSERT INTO lex VALUES (2, 'x') ON DUPLICATE KEY UPDATE id = 20") == Texts{"20", "2"});
    CHECK(lex.after("INSERT INTO lex SELECT id + 100, word FROM lex WHERE id < 5") == Texts{"103", "104"});
    CHECK(lex.after("DELETE FROM lex WHERE id >= 100") == Texts{"103", "104"});
    CHECK(lex.after("DELETE FROM lex WHERE id = 999").empty());
}

TEST_CASE("a file that is loaded leaves its keys") {
    Lex lex;
    const auto file = std::filesystem::temp_directory_path() / (lex.database.name() + ".tsv");
    std::ofstream(file) << "1\ta\n2\tb\n";
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    CHECK(lex.after(fmt::format("LOAD DATA INFILE '{}' INTO TABLE lex", file.string())) == Texts{"1", "2"});
    CHECK(lex.after(fmt::format("LOAD DATA INFILE '{}' REPLACE INTO TABLE lex", file.string())) ==
          Texts{"1", "1", "2", "2"});
    std::filesystem::remove(file);
}

TEST_CASE("TRUNCATE leaves nothing, as the documentation says") {
    Lex lex;
    lex.after("INSERT INTO lex VALUES (1, 'a')");
    CHECK(lex.after("TRUNCATE lex").empty());
}

TEST_CASE("what is rolled back leaves nothing, also back to a savepoint") {
    Lex lex;
    lex.database.execute("BEGIN");
    lex.database.execute("INSERT INTO lex VALUES (1, 'a')");
    lex.database.execute("SAVEPOINT s");
    lex.database.execute("INSERT INTO lex VALUES (2, 'b')");
    lex.database.execute("ROLLBACK TO s");
    CHECK(lex.after("COMMIT") == Texts{"1"});
    lex.database.execute("BEGIN");
    lex.database.execute("UPDATE lex SET word = 'x'");
    CHECK(lex.after("ROLLBACK").empty());
    CHECK_FALSE(lex.database.connection().execute("INSERT INTO lex VALUES (7, 'a'), (1, 'twice')"));
    CHECK(take_outbox(lex.database, lex.pipeline).empty());
}

TEST_CASE("a key that changes only for who compares bytes is two entities") {
    Lex lex("id VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, word VARCHAR(20)");
    lex.after("INSERT INTO lex VALUES ('a', '')");
    CHECK(lex.after("UPDATE lex SET id = 'A'") == Texts{"A", "a"});
    CHECK(lex.after("UPDATE lex SET id = 'A '") == Texts{"A ", "A"});
    CHECK(lex.after("UPDATE lex SET id = 'A ', word = 'x'") == Texts{"A "});
    CHECK(lex.after("REPLACE INTO lex VALUES ('a', '')") == Texts{"A ", "a"});
}

TEST_CASE("a key of several columns") {
    TestDatabase database;
    database.execute(
        "CREATE TABLE lex (tenant VARCHAR(9) NOT NULL, id INT NOT NULL, word TEXT, PRIMARY KEY (id, "
        "tenant))");
    const auto pipeline = outbox_pipeline({"tenant", "id"});
    set_up(database, pipeline);
    database.execute("INSERT INTO lex VALUES ('x', 1, 'a'), ('y', 1, 'b')");
    database.execute("UPDATE lex SET tenant = 'X' WHERE tenant = 'x'");
    database.execute("UPDATE lex SET word = 'c' WHERE tenant = 'y'");
    database.execute("DELETE FROM lex WHERE tenant = 'y'");
    CHECK(take_outbox(database, pipeline) == Texts{"x/1", "y/1", "X/1", "x/1", "y/1", "y/1"});
}

TEST_CASE("joined tables name the entity that they belong to") {
    TestDatabase database;
    database.execute("CREATE TABLE lex (id INT PRIMARY KEY, parent INT, word TEXT)");
    database.execute("CREATE TABLE sense (id INT PRIMARY KEY, lex_id INT, gloss TEXT)");
    database.execute("CREATE TABLE link (a INT NOT NULL, b INT, PRIMARY KEY (a))");
    auto pipeline = outbox_pipeline();
    pipeline.source.outbox->joined = {joined_table("sense", {"lex_id"}), joined_table("link", {"a"}),
                                      joined_table("link", {"b"}), joined_table("lex", {"parent"})};
    set_up(database, pipeline);
    const auto after = [&](std::string_view sql) {
        database.execute(sql);
        return take_outbox(database, pipeline);
    };
    CHECK(after("INSERT INTO sense VALUES (1, 7, 'g'), (2, NULL, 'h')") == Texts{"7"});
    CHECK(after("UPDATE sense SET gloss = 'x'") == Texts{"7"});
    CHECK(after("UPDATE sense SET lex_id = 8 WHERE id = 1") == Texts{"8", "7"});
    CHECK(after("UPDATE sense SET lex_id = NULL WHERE id = 1") == Texts{"8"});
    CHECK(after("UPDATE sense SET lex_id = 9 WHERE id = 2") == Texts{"9"});
    CHECK(after("DELETE FROM sense") == Texts{"9"});
    CHECK(after("INSERT INTO link VALUES (1, 2), (3, NULL)") == Texts{"1", "2", "3"});
    CHECK(after("INSERT INTO lex VALUES (5, 4, '')") == Texts{"5", "4"});
    CHECK(after("UPDATE lex SET parent = 6") == Texts{"5", "6", "4"});
}

TEST_CASE("cascaded foreign keys leave nothing, as the documentation says") {
    TestDatabase database;
    database.execute("CREATE TABLE lex (id INT PRIMARY KEY)");
    database.execute(
        "CREATE TABLE sense (id INT PRIMARY KEY, lex_id INT, FOREIGN KEY (lex_id) REFERENCES lex (id) "
        "ON DELETE CASCADE)");
    const auto pipeline = outbox_pipeline({"id"}, "sense");
    set_up(database, pipeline);
    database.execute("INSERT INTO lex VALUES (1)");
    database.execute("INSERT INTO sense VALUES (2, 1)");
    CHECK(take_outbox(database, pipeline) == Texts{"2"});
    database.execute("DELETE FROM lex");
    CHECK(database.value("SELECT COUNT(*) FROM sense") == "0");
    CHECK(take_outbox(database, pipeline).empty());
}

TEST_CASE("whatever a writer's session is like, the same keys arrive and its own counters stay its own") {
    Lex lex("id VARCHAR(20) CHARACTER SET utf8mb4 PRIMARY KEY, n INT NOT NULL AUTO_INCREMENT UNIQUE");
    const auto mode = GENERATE(as<std::string>(), "", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES",
                               "TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH,NO_AUTO_VALUE_ON_ZERO,PIPES_AS_CONCAT",
                               "ORACLE", "EMPTY_STRING_IS_NULL");
    const auto charset = GENERATE(as<std::string>(), "latin1", "utf8mb3", "utf8mb4", "binary", "gbk");
    CAPTURE(mode, charset);
    config::MariaDb settings = lex.database.settings();
    const std::string database = source::identifier(settings.database);
    settings.database = "information_schema";
    Writer writer(settings);
    writer.execute("SET SESSION sql_mode = '" + mode + "'");
    writer.execute("SET NAMES " + charset);
    writer.execute("INSERT INTO " + database +
                   ".lex (id) VALUES (_utf8mb4 X'C3A5F09F94A7'), (_utf8mb4 X'5C')");
    const auto counters = writer.connection().rows("SELECT LAST_INSERT_ID(), ROW_COUNT()");
    REQUIRE(counters);
    CHECK(counters->at(0).at(0) == "1");
    writer.execute("UPDATE " + database + ".lex SET id = _utf8mb4 X'27' WHERE n = 2");
    const auto changed = writer.connection().rows("SELECT ROW_COUNT()");
    REQUIRE(changed);
    CHECK(changed->at(0).at(0) == "1");
    writer.execute("DELETE FROM " + database + ".lex");
    auto keys = take_outbox(lex.database, lex.pipeline);
    std::ranges::sort(keys);
    CHECK(keys == Texts{"'", "'", "\\", "\\", "å🔧", "å🔧"});
}

TEST_CASE("a writer needs no privilege on the outbox") {
    Lex lex;
    Writer writer(lex.database.user_with({"INSERT, UPDATE (word), SELECT (id) ON {}.lex"}));
    writer.execute("INSERT INTO lex VALUES (1, 'a')");
    writer.execute("UPDATE lex SET word = 'b' WHERE id = 1");
    CHECK(take_outbox(lex.database, lex.pipeline) == Texts{"1", "1"});
}

// Without the outbox's name MariaDB 10.11 fails the INSERT with error 1442, once somebody has read the
// outbox.
TEST_CASE("a writer under LOCK TABLES that names the outbox, too, may write") {
    Lex lex;
    lex.after("INSERT INTO lex VALUES (1, 'a')");
    Writer writer(lex.database.settings());
    writer.execute("LOCK TABLES lex WRITE, pawl_outbox_lex WRITE");
    writer.execute("INSERT INTO lex VALUES (2, 'b')");
    writer.execute("UPDATE lex SET id = id + 10");
    writer.execute("UNLOCK TABLES");
    CHECK(take_outbox(lex.database, lex.pipeline) == Texts{"2", "11", "1", "12", "2"});
}

TEST_CASE("two writers at one outbox do not wait for each other") {
    Lex lex;
    Writer one(lex.database.settings());
    Writer two(lex.database.settings());
    two.execute("SET SESSION innodb_lock_wait_timeout = 1");
    one.execute("BEGIN");
    one.execute("INSERT INTO lex VALUES (1, 'a')");
    two.execute("INSERT INTO lex VALUES (2, 'b'), (3, 'c')");
    two.execute("UPDATE lex SET id = 4 WHERE id = 3");
    two.execute("DELETE FROM lex WHERE id = 2");
    CHECK(lex.database.value("SELECT GROUP_CONCAT(entity ORDER BY id) FROM pawl_outbox_lex") == "2,3,4,3,2");
    one.execute("COMMIT");
    CHECK(take_outbox(lex.database, lex.pipeline).size() == 6);
}
