#include <sstream>

#include <catch2/catch.hpp>

#include "cli/command.h"
#include "journal/writer.h"
#include "tests/unit/config/config_file.h"

using namespace pawl;
using namespace pawl::cli;

namespace {

struct Outcome {
    int code;
    std::string out;
    std::string err;
};

Outcome pawl_says(const Words& words) {
    std::ostringstream out;
    std::ostringstream err;
    Io io{out, err};
    const int code = run_command_line(words, io);
    return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("every command has a summary, help and an example") {
    for (const Command* command : all_commands()) {
        CAPTURE(command->name);
        CHECK_FALSE(command->summary.empty());
        const auto help = pawl_says({std::string(command->name), "--help"});
        CHECK(help.code == 0);
        CHECK(help.err.empty());
        CHECK(help.out.find("Example:\n  pawl " + std::string(command->name)) != std::string::npos);
    }
}

TEST_CASE("help lists the commands") {
    const auto help = pawl_says({"--help"});
    CHECK(help.code == 0);
    CHECK(help.out.find("  dump ") != std::string::npos);
    CHECK(help.out.find("  verify ") != std::string::npos);
    CHECK(help.out.find("  rebuild ") != std::string::npos);
    CHECK(help.out.find("  outbox-sql ") != std::string::npos);
}

TEST_CASE("outbox-sql is for pipelines in outbox mode") {
    const test::ConfigFile file(test::smallest_config);
    const auto said = pawl_says({"outbox-sql", "--config", file.file().string()});
    CHECK(said.code == 2);
    CHECK(said.out.empty());
    CHECK(said.err.starts_with("pawl: no pipeline of the config is in outbox mode\n  Try: "));
    CHECK(pawl_says({"outbox-sql", "--force", "--config", file.file().string()})
              .err.starts_with("pawl: --force goes with --drop\n"));
}

TEST_CASE("outbox-sql says that the server cannot be reached") {
    const test::ConfigFile file(test::with(test::with(test::smallest_config, "user = \"pawl\"",
                                                      "user = \"pawl\"\nsocket = \"/nowhere/mysqld.sock\""),
                                           "revision = \"history_id\"", "mode = \"outbox\""));
    const auto said = pawl_says({"outbox-sql", "--config", file.file().string()});
    CHECK(said.code == 3);
    CHECK(said.out.empty());
    CHECK(said.err.find("/nowhere/mysqld.sock") != std::string::npos);
}

TEST_CASE("wrong usage is exit code 2, on stderr, with something to try") {
    const auto unknown = pawl_says({"dmup"});
    CHECK(unknown.code == 2);
    CHECK(unknown.err == "pawl: there is no command \"dmup\"; did you mean \"dump\"?\n  Try: pawl --help\n");
    const auto option = pawl_says({"dump", "--jsn"});
    CHECK(option.code == 2);
    CHECK(option.out.empty());
    CHECK(option.err.ends_with("  Try: pawl dump --help\n"));
    CHECK(pawl_says({}).code == 2);
    CHECK(pawl_says({"quarantine"}).code == 2);
    CHECK(pawl_says({"quarantine", "burn"}).code == 2);
}

TEST_CASE("a config that is not there is exit code 2 for every command that reads it") {
    for (const std::string command : {"run", "sync", "recover", "status", "dump", "verify", "outbox-sql"}) {
        CAPTURE(command);
        const auto said = pawl_says({command, "--config", "/nowhere/pawl.toml"});
        CHECK(said.code == 2);
        CHECK(said.out.empty());
        CHECK(
            said.err.starts_with("pawl: cannot read /nowhere/pawl.toml: No such file or directory\n  Try: "));
    }
    CHECK(pawl_says({"quarantine", "list", "--config", "/nowhere/pawl.toml"}).code == 2);
}

TEST_CASE("check shows all problems of a config at once") {
    const test::ConfigFile file("[mariadb]\n[http]\nlisten = 5\n");
    const auto said = pawl_says({"check", "--config", file.file().string()});
    CHECK(said.code == 2);
    CHECK(said.out.find("http.listen: found 5 (an integer)") != std::string::npos);
    CHECK(said.out.find("mariadb.database: is missing") != std::string::npos);
    CHECK(said.out.find("5 problems to mend") != std::string::npos);
}

TEST_CASE("version names the version and the journal's format") {
    const auto said = pawl_says({"version"});
    CHECK(said.code == 0);
    CHECK(said.out.starts_with("pawl "));
    CHECK(said.out.find("journal format 6") != std::string::npos);
    CHECK(pawl_says({"--version"}).out == said.out);
}

TEST_CASE("dump, status and quarantine read a journal that is named without any config") {
    const test::ConfigFile folder;
    const std::string journal = (folder.folder() / "journal").string();
    {
        auto writer = journal::Writer::open(journal);
        REQUIRE(writer);
        const std::vector<journal::Change> changes{
            journal::BeginPipeline{.pipeline = "lex",
                                   .source = {journal::SourceMode::revision, "karp", "lex"},
                                   .target = {"lex", "lex-1", "u"},
                                   .at = 1}};
        REQUIRE(writer->commit(changes));
        CHECK(pawl_says({"status", "--journal", journal}).out.starts_with("pawl is running with pid "));
    }
    const auto dump = pawl_says({"dump", "--journal", journal});
    CHECK(dump.code == 0);
    CHECK(dump.out.find("pipeline lex: RUNNING") != std::string::npos);
    CHECK(pawl_says({"status", "--journal", journal}).out.starts_with("pawl is not running\n"));
    CHECK(pawl_says({"quarantine", "list", "--journal", journal, "--json"}).out == "{\"quarantine\":[]}\n");
    CHECK(pawl_says({"quarantine", "drop", "--all", "--journal", journal}).code == 0);
    CHECK(pawl_says({"dump", "--journal", journal, "--pipeline", "saldo"}).code == 2);
    CHECK(pawl_says({"dump", "--journal", folder.folder().string() + "/none"}).code == 2);
}
