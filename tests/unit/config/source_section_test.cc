#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/unit/config/config_file.h"

using namespace pawl;
using test::ConfigFile;
using test::problems_of;
using test::smallest_config;
using test::with;

namespace {

using Lines = std::vector<std::string>;

// The smallest config in outbox mode, with these lines in [pipeline.source]; the first is line 13.
std::string outbox_config(std::string_view lines) {
    return with(smallest_config, "table = \"lex\"\nrevision = \"history_id\"\nentity = \"entity_id\"",
                "mode = \"outbox\"\n" + std::string(lines));
}

config::Source source_of(const std::string& text) {
    const ConfigFile file(text);
    const auto config = config::load(file.file());
    REQUIRE(config);
    return config->pipelines.front().source;
}

constexpr std::string_view plain = "table = \"lex\"\nentity = \"id\"";

}  // namespace

TEST_CASE("outbox mode needs table and entity only") {
    const auto source = source_of(outbox_config(plain));
    CHECK(source.mode == journal::SourceMode::outbox);
    CHECK(source.entity == "id");
    REQUIRE(source.outbox);
    CHECK(source.outbox->table == "pawl_outbox_lex");
    CHECK(source.outbox->entity.columns == Lines{"id"});
    CHECK(source.outbox->view.empty());
    CHECK(source.outbox->joined.empty());
    CHECK_FALSE(source_of(std::string(smallest_config)).outbox);
}

TEST_CASE("a table of the longest name has an outbox of its own") {
    const std::string table(64, 't');
    const auto outbox = source_of(outbox_config("table = \"" + table + "\"\nentity = \"id\"")).outbox->table;
    CHECK(outbox.size() == 64);
    CHECK(outbox.starts_with("pawl_outbox_ttt"));
}

TEST_CASE("outbox mode knows a view, and tables joined to it") {
    const auto source = source_of(outbox_config(R"(table = "lex"
entity = "{tenant}/{id}"
outbox = "changes"
view = "lex_document"
joined = [{ table = "sense", entity = "{t}/{lex_id}" }, { table = "link", entity = "{t}/{source}" },
          { table = "link", entity = "{t}/{target}" }])"));
    CHECK(source.outbox->table == "changes");
    CHECK(source.outbox->view == "lex_document");
    REQUIRE(source.outbox->joined.size() == 3);
    CHECK(source.outbox->joined[0].table == "sense");
    CHECK(source.outbox->joined[0].entity.columns == Lines{"t", "lex_id"});
    CHECK(source.outbox->joined[2].entity.columns == Lines{"t", "target"});
}

TEST_CASE("triggers write an outbox, if the config does not say that the application does") {
    const auto with_writer = [](std::string_view writer) {
        return outbox_config(fmt::format("{}\nwrites_outbox = \"{}\"", plain, writer));
    };
    CHECK(source_of(outbox_config(plain)).outbox->writer == config::OutboxWriter::triggers);
    CHECK(source_of(with_writer("triggers")).outbox->writer == config::OutboxWriter::triggers);
    CHECK(source_of(with_writer("application")).outbox->writer == config::OutboxWriter::application);
    CHECK(problems_of(with_writer("nobody")) ==
          Lines{"pawl.toml:15: pipeline.source.writes_outbox: found "
                "\"nobody\", expected one of \"triggers\", \"application\""});
}

TEST_CASE("revision and deleted are refused in outbox mode") {
    CHECK(
        problems_of(outbox_config(std::string(plain) + "\nrevision = \"r\"\ndeleted = \"d\"")) ==
        Lines{"pawl.toml:15: pipeline.source.revision: is of revision mode, expected none in outbox mode: "
              "an outbox row's id is the revision; remove it, or set pipeline.source.mode = \"revision\"",
              "pawl.toml:16: pipeline.source.deleted: is of revision mode, expected none in outbox mode: an "
              "entity is deleted when its row is gone; remove it, or set pipeline.source.mode = "
              "\"revision\""});
}

TEST_CASE("what is of outbox mode has no meaning in revision mode, where a column may have braces") {
    const ConfigFile file(
        with(smallest_config, "entity = \"entity_id\"",
             "entity = \"{a}{b}\"\noutbox = \"o\"\nview = \"v\"\njoined = []\nwrites_outbox = \"triggers\""));
    const auto config = config::load(file.file());
    REQUIRE(config);
    CHECK(config->warnings.size() == 4);
    CHECK(config->warnings.front().ends_with("15: pipeline.source.outbox: has no meaning in revision mode"));
    CHECK(config->pipelines.front().source.entity == "{a}{b}");
}

TEST_CASE("an entity that cannot be taken apart is refused") {
    CHECK(problems_of(outbox_config("table = \"lex\"\nentity = \"{a}{b}\"")) ==
          Lines{"pawl.toml:14: pipeline.source.entity: found two columns with nothing between them, expected "
                "a column, or a template such as \"{tenant}/{id}\""});
    CHECK(problems_of(outbox_config("table = \"lex\"")) ==
          Lines{"pawl.toml:11: pipeline.source.entity: is missing, expected a column, or a template such as "
                "\"{tenant}/{id}\"; set pipeline.source.entity"});
}

TEST_CASE("a joined table names the entity in the same form") {
    const auto problems = [](std::string_view joined) {
        return problems_of(
            outbox_config("table = \"lex\"\nentity = \"{tenant}/{id}\"\njoined = " + std::string(joined)));
    };
    CHECK(problems("[{ table = \"sense\", entity = \"lex_id\" }]") ==
          Lines{"pawl.toml:15: pipeline.source.joined.entity: found \"lex_id\", expected the form of "
                "pipeline.source.entity: as many columns, the same text between them"});
    CHECK(problems("[{ table = \"sense\", entity = \"{t}-{lex_id}\" }]").size() == 1);
    CHECK(problems("[{ table = \"sense\" }]") ==
          Lines{"pawl.toml:15: pipeline.source.joined.entity: is missing, expected a column, or a template "
                "such as \"{tenant}/{id}\"; set pipeline.source.joined.entity"});
    CHECK(
        problems("[{ table = \"s\", entity = \"{a}/{b}\" }, { table = \"s\", entity = \"{a}/{b}\" }]") ==
        Lines{"pawl.toml:15: pipeline.source.joined.entity: is there already with this table; remove one of "
              "the two"});
    CHECK(problems("[{ table = \"s\", entity = \"{a}/{b}\", key = 1 }]").front().find("unknown key") !=
          std::string::npos);
    CHECK(problems("{ table = \"s\" }").front().find("found a table, expected a list of at most 32 tables") !=
          std::string::npos);
}

TEST_CASE("an outbox is a table of its own") {
    CHECK(
        problems_of(outbox_config(std::string(plain) + "\noutbox = \"lex\"")) ==
        Lines{"pawl.toml:15: pipeline.source.outbox: found \"lex\", expected a table of its own: this one's "
              "changes are to be written to it"});
    CHECK(problems_of(outbox_config(std::string(plain) +
                                    "\noutbox = \"s\"\njoined = [{ table = \"s\", entity = \"i\" }]"))
              .size() == 1);
}

TEST_CASE("two pipelines with one outbox are refused: each would take rows that the other needs") {
    const std::string second =
        "[[pipeline]]\nname = \"other\"\nsource = { mode = \"outbox\", table = \"t\", "
        "entity = \"e\", outbox = \"pawl_outbox_lex\" }\nindex = { alias = \"o\" }\n";
    CHECK(problems_of(outbox_config(plain) + second) ==
          Lines{"pawl.toml:20: pipeline.source.outbox: found \"pawl_outbox_lex\", which line 11 has already; "
                "give every pipeline its own outbox"});
}
