#include "index/target.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/unit/index/scripted_call.h"

using namespace pawl::index;
using pawl::ErrorKind;
using pawl::test::ScriptedCall;

namespace {

constexpr pawl::TimeMs now = 1'795'486'504'123;  // 2026-11-24T02:15:04.123Z
const std::string root = R"({"version":{"number":"8.19.7"}})";
const std::string plain_path = "GET /lex/_settings?filter_path=*.settings.index.uuid";
const std::string settings_path = "GET /lex-1/_settings?flat_settings=true";

std::string settings(const std::string& more = "") {
    return R"({"lex-1":{"settings":{"index.uuid":"u1")" + more + "}}}";
}

// A server with index lex-1 behind alias lex.
ScriptedCall usual() {
    return {{{"GET /", {{200, root}}},
             {"GET /_alias/lex", {{200, R"({"lex-1":{"aliases":{"lex":{}}}})"}}},
             {settings_path, {{200, settings(R"(,"index.gc_deletes":"1h")")}}},
             {"GET /lex-1/_mapping?filter_path=*.mappings._routing,*.mappings._meta", {{200, "{}"}}},
             {"POST /lex-1/_refresh", {{200, R"({"_shards":{"total":1,"successful":1,"failed":0}})"}}},
             {"GET /lex-1/_count", {{200, R"({"count":17,"_shards":{"failed":0}})"}}}}};
}

pawl::config::Index index_settings(const std::string& create_body = "") {
    return {"lex", "lex.index.json", create_body};
}

}  // namespace

TEST_CASE("the index behind the alias is found, with what pawl must know of it") {
    auto script = usual();
    const auto facts = prepare_target(script.call(), index_settings(), now);
    REQUIRE(facts);
    CHECK(facts->identity == pawl::journal::TargetIdentity{"lex", "lex-1", "u1"});
    CHECK_FALSE(facts->created);
    CHECK(facts->gc_deletes_ms == 3'600'000);
    CHECK(facts->server == "Elasticsearch 8.19.7");
}

TEST_CASE("an index into which no pawl has written says whether it holds nothing") {
    auto script = usual();
    CHECK_FALSE(prepare_target(script.call(), index_settings(), now)->empty);
    script.answers["GET /lex-1/_count"] = {{200, R"({"count":0,"_shards":{"failed":0}})"}};
    CHECK(prepare_target(script.call(), index_settings(), now)->empty);
    script.answers["GET /lex-1/_count"] = {{200, R"({"count":0,"_shards":{"failed":1}})"}};
    CHECK_FALSE(prepare_target(script.call(), index_settings(), now));
    script.answers["GET /lex-1/_count"] = {{403, "{}"}};
    const auto not_allowed = prepare_target(script.call(), index_settings(), now);
    REQUIRE(not_allowed);
    CHECK_FALSE(not_allowed->empty);
}

TEST_CASE("an index that was restored over itself is another one") {
    auto script = usual();
    script.answers[settings_path] = {{200, settings(R"(,"index.history.uuid":"h1")")}};
    CHECK(prepare_target(script.call(), index_settings(), now)->identity.uuid == "u1.h1");
}

TEST_CASE("an index that does not name gc_deletes has the default") {
    auto script = usual();
    script.answers[settings_path] = {{200, settings()}};
    CHECK(prepare_target(script.call(), index_settings(), now)->gc_deletes_ms == 60'000);
}

TEST_CASE("of several indices the write index is taken") {
    auto script = usual();
    script.answers["GET /_alias/lex"] = {
        {200, R"({"lex-0":{"aliases":{"lex":{}}},"lex-1":{"aliases":{"lex":{"is_write_index":true}}}})"}};
    CHECK(prepare_target(script.call(), index_settings(), now)->identity.index == "lex-1");
}

TEST_CASE("an alias without a write index is refused") {
    for (const auto* body : {R"({"lex-0":{"aliases":{"lex":{}}},"lex-1":{"aliases":{"lex":{}}}})",
                             R"({"lex-1":{"aliases":{"lex":{"is_write_index":false}}}})"}) {
        auto script = usual();
        script.answers["GET /_alias/lex"] = {{200, body}};
        const auto facts = prepare_target(script.call(), index_settings(), now);
        REQUIRE_FALSE(facts);
        CHECK(facts.error().kind == ErrorKind::invalid);
        CHECK_THAT(facts.error().message, Catch::Contains("lex-1"));
        CHECK_THAT(facts.error().advice, Catch::Contains("is_write_index"));
    }
}

TEST_CASE("a plain index and a data stream of that name are refused") {
    auto script = usual();
    script.answers["GET /_alias/lex"] = {{404, R"({"error":"alias [lex] missing"})"}};
    script.answers[plain_path] = {{200, R"({"lex":{"settings":{"index":{"uuid":"u"}}}})"}};
    const auto plain = prepare_target(script.call(), index_settings("{}"), now);
    REQUIRE_FALSE(plain);
    CHECK(plain.error().kind == ErrorKind::invalid);
    CHECK_THAT(plain.error().message, Catch::Contains("not an alias"));

    script.answers[plain_path] = {{200, R"({".ds-lex-1":{"settings":{"index":{"uuid":"u"}}}})"}};
    CHECK_THAT(prepare_target(script.call(), index_settings("{}"), now).error().message,
               Catch::Contains("data stream"));
}

TEST_CASE("an index that wants routing is refused") {
    auto script = usual();
    script.answers["GET /lex-1/_mapping?filter_path=*.mappings._routing,*.mappings._meta"] = {
        {200, R"({"lex-1":{"mappings":{"_routing":{"required":true}}}})"}};
    CHECK_THAT(prepare_target(script.call(), index_settings(), now).error().message,
               Catch::Contains("routing"));
}

TEST_CASE("an index that forgets deletes at once is refused") {
    for (const auto* time : {"-1", "0", "9s", "what"}) {
        auto script = usual();
        script.answers[settings_path] = {
            {200, settings(R"(,"index.gc_deletes":")" + std::string(time) + "\"")}};
        const auto facts = prepare_target(script.call(), index_settings(), now);
        REQUIRE_FALSE(facts);
        CHECK_THAT(facts.error().advice, Catch::Contains("PUT /lex-1/_settings"));
    }
}

TEST_CASE("a missing alias without `create` is refused") {
    ScriptedCall script{{{"GET /", {{200, root}}}}};
    const auto facts = prepare_target(script.call(), index_settings(), now);
    REQUIRE_FALSE(facts);
    CHECK(facts.error().kind == ErrorKind::invalid);
    CHECK_THAT(facts.error().advice, Catch::Contains("pipeline.index.create"));
}

TEST_CASE("a missing index is made with its alias and a longer gc_deletes, in one step") {
    auto script = usual();
    const auto found = script.answers["GET /_alias/lex"].front();
    script.answers["GET /_alias/lex"] = {{404, "{}"}, found};
    script.answers["PUT /lex-20261124t021504z"] = {{200, "{}"}};
    const auto facts =
        prepare_target(script.call(), index_settings(R"({"mappings":{"dynamic":"strict"}})"), now);
    REQUIRE(facts);
    CHECK(facts->created);
    CHECK(nlohmann::json::parse(script.last_body) == nlohmann::json::parse(R"({
        "mappings": {"dynamic": "strict"},
        "settings": {"index.gc_deletes": "1h"},
        "aliases": {"lex": {"is_write_index": true}}})"));
}

TEST_CASE("who loses the race to make the index takes the winner's") {
    const std::string two_write_indices =
        R"({"error":{"type":"illegal_state_exception","reason":"alias [lex] has more than one write index [a]"}})";
    const std::string same_name = R"({"error":{"type":"resource_already_exists_exception","reason":"r"}})";
    for (const auto& body : {same_name, two_write_indices}) {
        auto script = usual();
        const auto found = script.answers["GET /_alias/lex"].front();
        script.answers["GET /_alias/lex"] = {{404, "{}"}, found};
        script.answers["PUT /lex-20261124t021504z"] = {{400, body}};
        const auto facts = prepare_target(script.call(), index_settings("{}"), now);
        REQUIRE(facts);
        CHECK_FALSE(facts->created);
        CHECK(facts->identity.index == "lex-1");
    }
}

TEST_CASE("settings that the server refuses are the config's fault") {
    ScriptedCall script{{{"GET /", {{200, root}}},
                         {"PUT /lex-20261124t021504z",
                          {{400, R"({"error":{"type":"illegal_argument_exception","reason":"unknown"}})"}}}}};
    const auto facts = prepare_target(script.call(), index_settings("{}"), now);
    REQUIRE_FALSE(facts);
    CHECK(facts.error().kind == ErrorKind::invalid);
    CHECK_THAT(facts.error().message, Catch::Contains("unknown"));
    CHECK_THAT(facts.error().advice, Catch::Contains("lex.index.json"));
}

TEST_CASE("a gc_deletes of the user's own is kept, however it is written") {
    for (const auto* body :
         {R"({"settings":{"index.gc_deletes":"2h"}})", R"({"settings":{"gc_deletes":"2h"}})",
          R"({"settings":{"index":{"gc_deletes":"2h"}}})"}) {
        const auto made = create_body_with(index_settings(body));
        REQUIRE(made);
        CHECK_THAT(*made, Catch::Contains("2h") && !Catch::Contains("1h"));
    }
}

TEST_CASE("a create body that is no object, or has parts that are none, is refused") {
    for (const auto* body : {"", "[]", "{", R"({"settings":[]})", R"({"aliases":7})"}) {
        const auto made = create_body_with(index_settings(body));
        REQUIRE_FALSE(made);
        CHECK(made.error().kind == ErrorKind::invalid);
        CHECK_THAT(made.error().message, Catch::StartsWith("lex.index.json"));
    }
}

TEST_CASE("answers that are no answers become errors") {
    for (const auto* body : {"", "[]", "{}", "<html>", "7"}) {
        for (const auto* path : {"GET /_alias/lex", "GET /lex-1/_settings?flat_settings=true"}) {
            auto script = usual();
            script.answers[path] = {{200, body}};
            CHECK_FALSE(prepare_target(script.call(), index_settings(), now));
        }
    }
}

TEST_CASE("names that the journal cannot take, or that no log should show, are no answer") {
    for (const std::string& name : {std::string(600, 'n'), std::string("a\\u001b[2J")}) {
        auto script = usual();
        script.answers["GET /_alias/lex"] = {{200, "{\"" + name + R"(":{"aliases":{"lex":{}}}})"}};
        const auto facts = prepare_target(script.call(), index_settings(), now);
        REQUIRE_FALSE(facts);
        CHECK(facts.error().kind == ErrorKind::unavailable);
        script = usual();
        script.answers[settings_path] = {{200, R"({"lex-1":{"settings":{"index.uuid":")" + name + "\"}}}"}};
        CHECK(prepare_target(script.call(), index_settings(), now).error().kind == ErrorKind::unavailable);
    }
}

TEST_CASE("a new index's name is its alias and the time, in lower case") {
    CHECK(new_index_name("Lex", now) == "lex-20261124t021504z");
    CHECK(new_index_name("lex", 0) == "lex-19700101t000000z");
}

TEST_CASE("no request outlives half of gc_deletes") {
    CHECK(request_timeout_for(25'000, 60'000) == 25'000);
    CHECK(request_timeout_for(60'000, 60'000) == 29'999);
    CHECK(request_timeout_for(25'000, 10'000) == 4'999);
}
