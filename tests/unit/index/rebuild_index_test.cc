#include "index/rebuild_index.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/index/scripted_call.h"

using namespace pawl::index;
using nlohmann::json;
using pawl::ErrorKind;
using pawl::test::ScriptedCall;

namespace {

constexpr const char* done = R"({"_shards":{"total":1,"successful":1,"failed":0}})";
constexpr const char* half_done = R"({"_shards":{"total":2,"successful":1,"failed":1}})";
const std::string health_path =
    "GET /_cluster/health/lex-2?wait_for_no_initializing_shards=true&wait_for_events=languid&timeout=10000ms";

ScriptedCall loaded() {
    return {{{"PUT /lex-2/_settings", {{200, "{}"}}},
             {"POST /lex-2/_flush?wait_if_ongoing=true", {{200, done}}},
             {"POST /lex-2/_refresh", {{200, done}}},
             {health_path, {{200, "{}"}}},
             {"GET /lex-2/_count", {{200, R"({"count":17,"_shards":{"failed":0}})"}}}}};
}

ScriptedCall with_aliases(const std::string& aliases) {
    return {{{"GET /lex-1/_alias", {{200, R"({"lex-1":{"aliases":)" + aliases + "}}"}}},
             {"POST /_aliases", {{200, R"({"acknowledged":true})"}}}}};
}

pawl::Result<void> finish(ScriptedCall& script, bool stop = false) {
    return finish_loading(script.call(), {"lex", "lex.index.json", "{}"}, "lex-2", [=] { return stop; });
}

json actions_of(ScriptedCall& script) {
    REQUIRE(swap_alias(script.call(), "lex", "lex-1", "lex-2", 17));
    return json::parse(script.last_body)["actions"];
}

}  // namespace

TEST_CASE("the index of a rebuild has the pipeline's name and an alias of its own") {
    const auto target = rebuild_target({"lex", "lex.index.json", "{}"});
    REQUIRE(target);
    CHECK(target->alias == "lex-pawl-rebuild");
    CHECK(target->created_as == "lex");
    CHECK(json::parse(target->create_body)["settings"]["index.number_of_replicas"] == "0");
}

TEST_CASE("aliases move in one request, with what they filter") {
    auto script = with_aliases(R"({"lex":{},"words":{"filter":{"term":{"a":1}},"search_routing":"x"}})");
    CHECK(actions_of(script) == json::parse(R"([
              {"remove":{"index":"lex-1","alias":"lex","must_exist":true}},
              {"remove":{"index":"lex-1","alias":"words","must_exist":true}},
              {"add":{"index":"lex-2","alias":"lex","is_write_index":true}},
              {"add":{"index":"lex-2","alias":"words","filter":{"term":{"a":1}},"search_routing":"x"}},
              {"remove":{"index":"lex-2","alias":"lex-pawl-rebuild-swap-17","must_exist":true}}])"));
}

TEST_CASE("nothing is swapped without the alias that permits it") {
    auto script = with_aliases(R"({"lex":{}})");
    script.answers["POST /_aliases"] = {{503, "{}"}};
    CHECK_FALSE(swap_alias(script.call(), "lex", "lex-1", "lex-2", 17));
    CHECK(json::parse(script.last_body)["actions"] ==
          json::parse(R"([{"add":{"index":"lex-2","alias":"lex-pawl-rebuild-swap-17"}}])"));
    CHECK(script.asked.size() == 2);
}

TEST_CASE("who takes a rebuild over withdraws what permits earlier swaps, then looks again") {
    ScriptedCall script;
    for (const std::string number : {"1", "2"}) {
        const std::string index = "lex-" + number;
        const std::string alias = number == "1" ? "lex" : "lex-pawl-rebuild";
        const auto about = [&](const std::string& what) { return R"({")" + index + R"(":)" + what + "}"; };
        script.answers["GET /_alias/" + alias] = {{200, about(R"({"aliases":{}})")}};
        script.answers["GET /" + index + "/_settings?flat_settings=true"] = {
            {200, about(R"({"settings":{"index.uuid":"u)" + number + R"("}})")}};
        script.answers["GET /" + index + "/_mapping?filter_path=*.mappings._routing,*.mappings._meta"] = {
            {200, "{}"}};
    }
    script.answers["POST /_aliases"] = {{200, R"({"acknowledged":true})"}};
    const auto indices = take_over_rebuild(script.call(), "lex");
    REQUIRE(indices);
    CHECK(indices->fresh->identity.index == "lex-2");
    CHECK(json::parse(script.last_body)["actions"] == json::parse(R"([
              {"remove":{"index":"lex-2","aliases":["lex-pawl-rebuild","lex-pawl-rebuild-swap-*"]}},
              {"add":{"index":"lex-2","alias":"lex-pawl-rebuild","is_write_index":true}}])"));
    const auto withdrawn = std::ranges::find(script.asked, "POST /_aliases");
    CHECK(std::find(withdrawn, script.asked.end(), "GET /_alias/lex") != script.asked.end());
    for (const char* const answer : {R"({"acknowledged":false})", "{}", ""}) {
        script.answers["POST /_aliases"] = {{200, answer}};
        CHECK(take_over_rebuild(script.call(), "lex").error().kind == ErrorKind::unavailable);
    }
}

TEST_CASE("a rehearsal takes all aliases and gives them back as they were, in one request") {
    auto script = with_aliases(R"({"lex":{},"words":{"filter":{"b":1,"a":2},"is_write_index":false}})");
    REQUIRE(rehearse_swap(script.call(), "lex", "lex-1"));
    CHECK(script.last_body ==
          R"({"actions":[{"remove":{"index":"lex-1","alias":"lex","must_exist":true}},)"
          R"({"remove":{"index":"lex-1","alias":"words","must_exist":true}},)"
          R"({"add":{"index":"lex-1","alias":"lex"}},)"
          R"({"add":{"filter":{"b":1,"a":2},"is_write_index":false,"index":"lex-1","alias":"words"}},)"
          R"({"remove":{"index":"lex-1","alias":"lex-pawl-rebuild-swap-rehearsal","must_exist":false}}]})");
}

TEST_CASE("an index is deleted in one request with finding that the alias leads elsewhere") {
    auto script = with_aliases(R"({"lex":{"filter":{"term":{"a":1}}},"words":{}})");
    REQUIRE(delete_beside(script.call(), "lex", "lex-1", "lex-2"));
    CHECK(json::parse(script.last_body)["actions"] == json::parse(R"([
              {"remove":{"index":"lex-1","alias":"lex","must_exist":true}},
              {"add":{"index":"lex-1","alias":"lex","filter":{"term":{"a":1}}}},
              {"remove_index":{"index":"lex-2"}}])"));

    const auto refused = [&](int status, int fresh_is) {
        script.answers["POST /_aliases"] = {{status, "{}"}};
        script.answers["GET /lex-2/_alias"] = {{fresh_is, "{}"}};
        return delete_beside(script.call(), "lex", "lex-1", "lex-2");
    };
    CHECK(refused(404, 404));  // it is gone
    CHECK_FALSE(refused(404, 200));
    CHECK_FALSE(refused(404, 503));
    CHECK_FALSE(refused(200, 200));  // not acknowledged
}

TEST_CASE("an index is not deleted when the alias leads to it, or nowhere") {
    auto script = with_aliases(R"({"words":{}})");
    CHECK(delete_beside(script.call(), "lex", "lex-1", "lex-2").error().kind == ErrorKind::decision);
    script = with_aliases(R"({"lex":{}})");
    CHECK(delete_beside(script.call(), "lex", "lex-1", "lex-1").error().kind == ErrorKind::decision);
    CHECK(script.asked.size() == 1);
}

TEST_CASE("no alias is touched when those there are cannot be read") {
    for (const char* const answer : {"", "[]", "{}", R"({"lex-1":{"aliases":[]}})"}) {
        ScriptedCall script{{{"GET /lex-1/_alias", {{200, answer}}}}};
        CHECK_FALSE(swap_alias(script.call(), "lex", "lex-1", "lex-2", 17));
        CHECK_FALSE(rehearse_swap(script.call(), "lex", "lex-1"));
        CHECK(script.asked.size() == 2);
    }
}

TEST_CASE("a missing privilege is told") {
    auto script = with_aliases(R"({"lex":{}})");
    script.answers["POST /_aliases"] = {{403, R"({"error":{"type":"security_exception","reason":"no"}})"}};
    CHECK(swap_alias(script.call(), "lex", "lex-1", "lex-2", 17).error().kind == ErrorKind::forbidden);
    CHECK(rehearse_swap(script.call(), "lex", "lex-1").error().kind == ErrorKind::forbidden);
}

TEST_CASE("a loaded index gets its settings, then is flushed, refreshed and waited for") {
    auto script = loaded();
    REQUIRE(finish(script));
    CHECK(script.asked == std::vector<std::string>{"PUT /lex-2/_settings",
                                                   "POST /lex-2/_flush?wait_if_ongoing=true",
                                                   "POST /lex-2/_refresh", health_path});
}

TEST_CASE("it is not taken for durable when a shard was not flushed") {
    auto script = loaded();
    script.answers["POST /lex-2/_flush?wait_if_ongoing=true"] = {{200, half_done}};
    CHECK(finish(script).error().kind == ErrorKind::unavailable);
}

TEST_CASE("replicas are waited for, though not for ever, and not after a signal") {
    auto script = loaded();
    script.answers[health_path] = {{408, "{}"}, {408, "{}"}, {200, "{}"}};
    REQUIRE(finish(script));
    CHECK(script.asked.size() == 6);
    script = loaded();
    script.answers[health_path] = {{408, "{}"}};
    REQUIRE(finish(script));
    CHECK(script.asked.size() == 3 + 60);
    script = loaded();
    REQUIRE(finish(script, true));
    CHECK(script.asked.size() == 3);
}

TEST_CASE("documents are counted on all shards or not at all") {
    auto script = loaded();
    CHECK(count_documents(script.call(), "lex-2").value() == 17);
    for (const char* const answer : {R"({"count":17,"_shards":{"failed":1}})",
                                     R"({"count":-1,"_shards":{"failed":0}})", "{}", "", "17"}) {
        INFO(answer);
        script.answers["GET /lex-2/_count"] = {{200, answer}};
        CHECK_FALSE(count_documents(script.call(), "lex-2"));
    }
}

TEST_CASE("versions are summed on all shards, exactly, or not at all") {
    auto script = loaded();
    const auto sum = [&](const char* answer, int status = 200) {
        INFO(answer);
        script.answers["POST /lex-2/_search"] = {{status, answer}};
        return sum_versions(script.call(), "lex-2");
    };
    const auto found = sum(R"({"timed_out":false,"_shards":{"failed":0},
        "aggregations":{"versions":{"count":3,"min":1.0,"max":7.0,"avg":4.0,"sum":1.2E1}}})");
    REQUIRE(found);
    CHECK(found->documents == 3);
    CHECK(found->versions == 12U);
    CHECK(script.asked.front() == "POST /lex-2/_refresh");
    const auto empty = sum(R"({"timed_out":false,"_shards":{"failed":0},
        "aggregations":{"versions":{"count":0,"min":null,"max":null,"avg":null,"sum":0.0}}})");
    REQUIRE(empty);
    CHECK(empty->documents == 0);
    CHECK(empty->versions == 0U);

    const auto too_large = sum(R"({"timed_out":false,"_shards":{"failed":0},
        "aggregations":{"versions":{"count":3,"sum":9007199254740992}}})");
    REQUIRE(too_large);
    CHECK(too_large->documents == 3);
    CHECK_FALSE(too_large->versions);
    const auto unknown = sum(R"({"error":{"type":"illegal_argument_exception","reason":"no"}})", 400);
    REQUIRE(unknown);
    CHECK(unknown->documents == 17);  // by GET /_count
    CHECK_FALSE(unknown->versions);
    for (const char* const answer :
         {R"({"timed_out":true,"_shards":{"failed":0},"aggregations":{"versions":{"count":3,"sum":12}}})",
          R"({"_shards":{"failed":0},"aggregations":{"versions":{"count":3,"sum":12}}})",
          R"({"timed_out":false,"_shards":{"failed":1},"aggregations":{"versions":{"count":3,"sum":12}}})",
          R"({"timed_out":false,"aggregations":{"versions":{"count":3,"sum":12}}})",
          R"({"timed_out":false,"_shards":{"failed":0},"aggregations":{"versions":{"count":-3,"sum":12}}})",
          R"({"timed_out":false,"_shards":{"failed":0},"aggregations":{"versions":{"count":3}}})",
          R"({"timed_out":false,"_shards":{"failed":0}})", "[]", "17", ""})
        CHECK_FALSE(sum(answer));
    CHECK(sum("{}", 403).error().kind == ErrorKind::forbidden);
}
