#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/quarantine_view.h"
#include "tests/unit/cli/contents.h"

using namespace pawl;
using namespace pawl::cli;

TEST_CASE("the human form of the quarantine cannot be broken by an id") {
    CHECK(quarantine_text(test::some_contents()) ==
          "pipeline  entity  revision  attempts  since                     error                     reason\n"
          "lex       a\\x0ab        77         2  2026-11-24T12:00:00.000Z  mapper_parsing_exception  no "
          "such date "
          "(another try was asked for)\n");
    CHECK(quarantine_text({}) == "the quarantine is empty\n");
}

TEST_CASE("the JSON form of the quarantine") {
    CHECK(nlohmann::json::parse(quarantine_json(test::some_contents())) ==
          nlohmann::json::parse(R"({"quarantine": [{
        "pipeline": "lex", "entity": "a\nb", "revision": 77, "error": "mapper_parsing_exception",
        "reason": "no such date", "since": "2026-11-24T12:00:00.000Z", "attempts": 2, "retry_requested": true}]})"));
}

TEST_CASE("an id that was cut within a character is still JSON") {
    auto contents = test::some_contents();
    contents.pipelines[0].quarantine[0].entity = "a\xc3";
    CHECK(nlohmann::json::parse(quarantine_json(contents))["quarantine"][0]["entity"] == "a\xef\xbf\xbd");
}

TEST_CASE("entities or --all, and nothing that is not in quarantine") {
    const auto contents = test::some_contents();
    const auto all = choose(contents, {}, true);
    REQUIRE(all);
    REQUIRE(all->size() == 1);
    CHECK(all->front().pipeline == "lex");
    CHECK(all->front().entities == std::vector<std::string>{"a\nb"});
    CHECK(choose(contents, {"a\nb"}, false)->size() == 1);
    CHECK(choose(contents, {"a\nb", "x"}, false).error().message ==
          "entity \"x\" is not in quarantine; nothing was changed");
    CHECK(choose(contents, {}, false).error().message == "found neither entities nor --all");
    CHECK(choose(contents, {"x"}, true).error().message == "found both entities and --all");
    CHECK(choose({}, {}, true)->empty());
}
