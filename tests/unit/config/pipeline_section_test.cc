#include <catch2/catch.hpp>

#include "tests/unit/config/config_file.h"

using namespace pawl;
using test::ConfigFile;
using test::problems_of;
using test::smallest_config;
using test::with;

namespace {

using Lines = std::vector<std::string>;

// The smallest config with a second pipeline.
std::string two_pipelines(std::string_view name, std::string_view alias) {
    return std::string(smallest_config) + "[[pipeline]]\nname = \"" + std::string(name) +
           "\"\nsource = { table = \"t\", revision = \"id\", entity = \"e\" }\nindex = { alias = \"" +
           std::string(alias) + "\" }\n";
}

}  // namespace

TEST_CASE("two pipelines with one alias are refused") {
    CHECK(problems_of(two_pipelines("other", "lex")) ==
          Lines{"pawl.toml:21: pipeline.index.alias: found \"lex\", which line 17 has already; give every "
                "pipeline its own "
                "alias"});
}

TEST_CASE("two pipelines with one name are refused") {
    CHECK(problems_of(two_pipelines("lex", "other")) ==
          Lines{"pawl.toml:19: pipeline.name: found \"lex\", which line 9 has already; give every pipeline "
                "its own name"});
    CHECK(problems_of(two_pipelines("other", "other")).empty());
}

TEST_CASE("a pipeline's name is made of few characters") {
    for (const std::string_view name : {"Lex", "", "a b", "å", "a/b"}) {
        const auto problems =
            problems_of(with(smallest_config, "name = \"lex\"", "name = \"" + std::string(name) + "\""));
        CHECK(problems == Lines{"pawl.toml:9: pipeline.name: found \"" + std::string(name) +
                                "\", expected 1 to 64 of a-z, 0-9, _ and -"});
    }
    CHECK(problems_of(with(smallest_config, "name = \"lex\"", "name = \"" + std::string(65, 'a') + "\""))
              .size() == 1);
    CHECK(problems_of(with(smallest_config, "name = \"lex\"", "name = \"" + std::string(64, 'a') + "\""))
              .empty());
}

TEST_CASE("an alias that the index would refuse is refused here") {
    for (const std::string_view alias : {"Lex", "_lex", "a b", "a,b", "a*", "..", "-a"})
        CHECK(problems_of(with(smallest_config, "alias = \"lex\"", "alias = \"" + std::string(alias) + "\""))
                  .size() == 1);
}

TEST_CASE("a field that is named twice is refused") {
    CHECK(problems_of(std::string(smallest_config) + "[pipeline.document]\nfields = { a = \"x\", b = \"y\" "
                                                     "}\n[pipeline.document.constants]\nb = 1\n") ==
          Lines{"pawl.toml:21: pipeline.document.constants.b: the field \"b\" is in pipeline.document.fields "
                "already; a "
                "field has one value: remove one of the two"});
}

TEST_CASE("a constant that JSON does not have is refused") {
    CHECK(
        problems_of(std::string(smallest_config) + "[pipeline.document]\nconstants = { a = [inf] }\n") ==
        Lines{
            "pawl.toml:19: pipeline.document.constants.a: found inf or nan, expected a value that JSON has"});
}

TEST_CASE("an unknown mode lists the modes") {
    CHECK(problems_of(with(smallest_config, "table = ", "mode = \"binlog\"\ntable = ")) ==
          Lines{"pawl.toml:12: pipeline.source.mode: found \"binlog\", expected one of \"revision\", "
                "\"outbox\""});
}

TEST_CASE("what an index is created from must be a JSON object of settings and mappings") {
    const ConfigFile file(std::string(smallest_config) + "create = \"i.json\"\n");
    const auto problem = [&](std::string_view content) {
        file.write("i.json", content);
        const auto problems = file.problems();
        return problems.empty() ? std::string() : problems.front();
    };
    CHECK(file.problems() ==
          Lines{"pawl.toml:18: pipeline.index.create: cannot read i.json: No such file or directory; give "
                "the path of a file that pawl's user may read"});
    CHECK(problem("{}").empty());
    CHECK(problem("{").starts_with("pawl.toml:18: pipeline.index.create: i.json is not JSON: "));
    CHECK(problem("[]") ==
          "pawl.toml:18: pipeline.index.create: i.json is not a JSON object, expected {\"settings\": …, "
          "\"mappings\": …}; correct i.json");
    CHECK(problem(R"({"aliases": {}})").find("has \"aliases\": pipeline.index.alias alone names the alias") !=
          std::string::npos);
    CHECK(problem(R"({"index_patterns": []})").find("has the key \"index_patterns\"") != std::string::npos);
    CHECK(problem(R"({"settings": 1})").find("has \"settings\" that is not an object") != std::string::npos);
}
