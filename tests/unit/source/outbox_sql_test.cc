#include "source/outbox_sql.h"

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::source;

namespace {

using Texts = std::vector<std::string>;

config::Source lex() {
    config::Source source;
    source.mode = journal::SourceMode::outbox;
    source.table = "lex";
    source.entity = "id";
    source.outbox = config::Outbox{"pawl_outbox_lex", {{"id"}, {"", ""}}, "", {}};
    return source;
}

Column text_column(std::string name) {
    Column column;
    column.name = std::move(name);
    column.type = "varchar(20)";
    column.data_type = "varchar";
    column.is_character = true;
    column.character_set = "utf8mb4";
    column.collation = "utf8mb4_swedish_ci";
    return column;
}

Texts names_of(const config::Source& source) {
    Texts names;
    for (const Trigger& trigger : outbox_triggers(source))
        names.push_back(trigger.name);
    return names;
}

}  // namespace

TEST_CASE("the outbox has the key's own types") {
    Column number;
    number.name = "id";
    number.type = "int(5) unsigned zerofill";
    CHECK(create_outbox("karp", *lex().outbox, std::vector{number}) ==
          "CREATE TABLE IF NOT EXISTS `karp`.`pawl_outbox_lex` (\n"
          "  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n"
          "  `entity` int(5) unsigned zerofill NOT NULL\n"
          ") ENGINE = InnoDB");
    const config::Outbox both{"o", {{"tenant", "id"}, {"", "/", ""}}, "", {}};
    CHECK(create_outbox("karp", both, std::vector{text_column("tenant"), number}) ==
          "CREATE TABLE IF NOT EXISTS `karp`.`o` (\n"
          "  `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,\n"
          "  `entity_tenant` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci NOT NULL,\n"
          "  `entity_id` int(5) unsigned zerofill NOT NULL\n"
          ") ENGINE = InnoDB");
}

TEST_CASE("an insert writes the new key, a delete the old one, an update both when the key has changed") {
    const auto triggers = outbox_triggers(lex());
    REQUIRE(triggers.size() == 3);
    CHECK(create_trigger("karp", triggers[0]) ==
          "CREATE OR REPLACE TRIGGER `karp`.`pawl_lex_insert` AFTER INSERT ON `karp`.`lex` FOR EACH ROW\n"
          "INSERT INTO `pawl_outbox_lex` (`entity`) VALUES (NEW.`id`)");
    CHECK(triggers[1].body ==
          "BEGIN\n"
          "  INSERT INTO `pawl_outbox_lex` (`entity`) VALUES (NEW.`id`);\n"
          "  IF (NOT (BINARY OLD.`id` <=> BINARY NEW.`id`)) THEN\n"
          "    INSERT INTO `pawl_outbox_lex` (`entity`) VALUES (OLD.`id`);\n"
          "  END IF;\n"
          "END");
    CHECK(triggers[2].body == "INSERT INTO `pawl_outbox_lex` (`entity`) VALUES (OLD.`id`)");
}

TEST_CASE("a joined table writes where its key is not NULL, by a trigger of its own name") {
    config::Source source = lex();
    source.outbox->joined = {{"sense", {{"lex_id"}, {"", ""}}}};
    const auto triggers = outbox_triggers(source);
    REQUIRE(triggers.size() == 6);
    CHECK(triggers[3].name == "pawl_outbox_lex_sense_insert");
    CHECK(triggers[3].table == "sense");
    CHECK(triggers[3].body ==
          "BEGIN\n"
          "  IF NEW.`lex_id` IS NOT NULL THEN\n"
          "    INSERT INTO `pawl_outbox_lex` (`entity`) VALUES (NEW.`lex_id`);\n"
          "  END IF;\n"
          "END");
    CHECK(triggers[4].body.find("IF OLD.`lex_id` IS NOT NULL AND (NOT (BINARY OLD.`lex_id` <=> BINARY "
                                "NEW.`lex_id`)) THEN") != std::string::npos);
}

TEST_CASE("a table that is joined by several keys has one trigger for each event") {
    config::Source source = lex();
    source.outbox->joined = {
        {"link", {{"a"}, {"", ""}}}, {"link", {{"b"}, {"", ""}}}, {"lex", {{"parent"}, {"", ""}}}};
    const auto triggers = outbox_triggers(source);
    REQUIRE(triggers.size() == 6);
    CHECK(triggers[0].body.find("NEW.`parent`") != std::string::npos);
    CHECK(triggers[3].body.find("NEW.`a`") != std::string::npos);
    CHECK(triggers[3].body.find("NEW.`b`") != std::string::npos);
}

TEST_CASE("no two pipelines of one table have triggers of one name") {
    config::Source other = lex();
    other.outbox->table = "second";
    CHECK(names_of(lex())[0] == "pawl_lex_insert");
    CHECK(names_of(other)[0] == "second_lex_insert");
    config::Source joining = lex();
    joining.table = "saldo";
    joining.outbox->table = "pawl_outbox_saldo";
    joining.outbox->joined = {{"lex", {{"saldo_id"}, {"", ""}}}};
    CHECK(names_of(joining)[3] == "pawl_outbox_saldo_lex_insert");
}

TEST_CASE("names stay within MariaDB's 64 characters and apart") {
    config::Source source = lex();
    source.table = std::string(64, 't');
    source.outbox->table = std::string(64, 'o');
    source.outbox->entity = {{std::string(64, 'a'), std::string(63, 'a') + "b"}, {"", "/", ""}};
    Texts names = names_of(source);
    for (const auto& column : outbox_columns(source.outbox->entity))
        names.push_back(column);
    for (const auto& name : names)
        CHECK(name.size() == 64);
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());
}

TEST_CASE("any name is quoted") {
    config::Source source = lex();
    source.table = "a`b;c";
    source.outbox->table = "o`o";
    source.outbox->entity = {{"x`y"}, {"", ""}};
    const auto trigger = outbox_triggers(source)[0];
    CHECK(
        create_trigger("d`d", trigger) ==
        "CREATE OR REPLACE TRIGGER `d``d`.`o``o_a``b;c_insert` AFTER INSERT ON `d``d`.`a``b;c` FOR EACH ROW\n"
        "INSERT INTO `o``o` (`entity`) VALUES (NEW.`x``y`)");
    CHECK(drop_trigger("d`d", trigger.name) == "DROP TRIGGER IF EXISTS `d``d`.`o``o_a``b;c_insert`");
    CHECK(drop_outbox("d`d", *source.outbox) == "DROP TABLE IF EXISTS `d``d`.`o``o`");
    CHECK(try_definer("d`d", *source.outbox, "a`b;c", source.outbox->entity) ==
          "INSERT INTO `d``d`.`o``o` (`entity`) SELECT `x``y` FROM `d``d`.`a``b;c` LIMIT 0");
}

TEST_CASE("the client needs another delimiter where a statement holds a semicolon") {
    CHECK(client_script(Texts{"SELECT 1", "BEGIN a; END"}) ==
          "SELECT 1;\nDELIMITER $$\nBEGIN a; END$$\nDELIMITER ;\n");
}

TEST_CASE("bodies are compared without what a client may change") {
    CHECK(is_same_body("BEGIN\n  a;\nEND", "BEGIN a; \r\nEND"));
    CHECK_FALSE(is_same_body("BEGIN a; END", "BEGIN b; END"));
}

TEST_CASE("a body mentions a table as a whole word only") {
    CHECK(mentions("INSERT INTO pawl_outbox_lex VALUES (1)", "pawl_outbox_lex"));
    CHECK(mentions("INSERT INTO karp.pawl_outbox_lex(entity)", "pawl_outbox_lex"));
    CHECK(mentions("INSERT INTO `a``b` VALUES (1)", "a`b"));
    CHECK_FALSE(mentions("INSERT INTO pawl_outbox_lexicon VALUES (1)", "pawl_outbox_lex"));
    CHECK_FALSE(mentions("INSERT INTO `pawl_outbox_lex 2` VALUES (1)", "pawl_outbox_lex"));
    CHECK(mentions("INSERT INTO old_pawl_outbox_lex SELECT * FROM pawl_outbox_lex", "pawl_outbox_lex"));
}
