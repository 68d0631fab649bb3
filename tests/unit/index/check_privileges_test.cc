#include "index/check_privileges.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/index/scripted_call.h"

using namespace pawl::index;
using nlohmann::json;
using pawl::engine::Severity;
using pawl::test::ScriptedCall;

namespace {

const char* const path = "POST /_security/user/_has_privileges";

std::vector<pawl::engine::Notice> missing(const std::string& answer, const PrivilegeQuestion& question) {
    ScriptedCall script{{{path, {{200, answer}}}}};
    return missing_privileges(script.call(), question);
}

json asked(const PrivilegeQuestion& question) {
    ScriptedCall script;
    CHECK(missing_privileges(script.call(), question).empty());  // answered 404: no security there
    return json::parse(script.last_body)["index"];
}

}  // namespace

TEST_CASE("privileges are asked for the alias, its index, and the indices that pawl may make") {
    const json all = {"view_index_metadata", "manage", "index", "delete", "read"};
    json with_create = all;
    with_create.push_back("create_index");
    const json made = {{"names", {"lex-*"}}, {"privileges", with_create}};
    CHECK(asked({"lex"}) == json::array({{{"names", {"lex"}}, {"privileges", all}}}));
    CHECK(asked({"lex", "own"}) == json::array({{{"names", {"lex", "own"}}, {"privileges", all}}}));
    CHECK(asked({"lex", "own", true}) ==
          json::array({{{"names", {"lex", "own"}}, {"privileges", all}}, made}));
    CHECK(asked({"lex", "", true}) ==
          json::array({{{"names", {"lex", "lex-*"}}, {"privileges", all}}, made}));
}

TEST_CASE("what is missing now is an error that names it once") {
    const auto found = missing(
        R"({"cluster":{"monitor":false},"index":{"lex":{"manage":false,"index":true},"lex-1":{"manage":false},)"
        R"("lex-*":{"manage":false,"create_index":true}}})",
        {"lex", "lex-1", true});
    REQUIRE(found.size() == 2);
    CHECK(found[0].severity == Severity::error);
    CHECK_THAT(found[0].text, Catch::Contains("cluster privilege monitor"));
    CHECK(found[1].severity == Severity::error);
    CHECK_THAT(found[1].text, Catch::EndsWith("privilege manage on lex, lex-1"));
}

TEST_CASE("read is wanted by verify and rebuild only: a warning") {
    for (const auto& question : {PrivilegeQuestion{"lex", "lex-1"}, PrivilegeQuestion{"lex", "", true}}) {
        const auto found = missing(R"({"index":{"lex":{"read":false}}})", question);
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::warning);
        CHECK_THAT(found[0].text, Catch::Contains("pawl verify"));
    }
}

TEST_CASE("create_index is an error while there is no index, else a warning") {
    const std::string answer = R"({"index":{"lex-*":{"create_index":false}}})";
    const auto without = missing(answer, {"lex", "", true});
    REQUIRE(without.size() == 1);
    CHECK(without[0].severity == Severity::error);
    CHECK_THAT(without[0].text, Catch::Contains("create_index on lex-*"));
    const auto with = missing(answer, {"lex", "lex-1", true});
    REQUIRE(with.size() == 1);
    CHECK(with[0].severity == Severity::warning);
    CHECK_THAT(with[0].text, Catch::Contains("pawl rebuild"));
    CHECK(missing(R"({"index":{"lex-*":{"manage":false}}})", {"lex", "own", true})[0].severity ==
          Severity::warning);
}

TEST_CASE("an answer that is none shows nothing missing") {
    for (const char* const answer : {"", "[]", "{}", "false", R"({"cluster":false,"index":false})",
                                     R"({"index":{"lex":false,"lex-1":{"manage":"false","read":0}}})"})
        CHECK(missing(answer, {"lex", "lex-1", true}).empty());
}
