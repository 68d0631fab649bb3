#include "index/loading_settings.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pawl::index;
using nlohmann::json;

namespace {

pawl::config::Index with(const std::string& create_body) {
    return {"lex", "lex.index.json", create_body};
}

json loading(const std::string& create_body) {
    return json::parse(loading_body(with(create_body)).value());
}
json own(const std::string& create_body) {
    return json::parse(own_settings(with(create_body)).value());
}

}  // namespace

TEST_CASE("an index is loaded without refresh, replicas and synchronous translog") {
    const auto settings = loading("{}")["settings"];
    CHECK(settings == json{{"index.refresh_interval", "-1"},
                           {"index.number_of_replicas", "0"},
                           {"index.auto_expand_replicas", "false"},
                           {"index.translog.durability", "async"},
                           {"index.translog.flush_threshold_size", "64mb"}});
}

TEST_CASE("however a setting is written, it is replaced while loading and given back afterwards") {
    for (const char* const body :
         {R"({"settings":{"index":{"refresh_interval":"7s","translog":{"durability":"request"}}}})",
          R"({"settings":{"refresh_interval":"7s","translog":{"durability":"request"}}})",
          R"({"settings":{"index.refresh_interval":"7s","index":{"translog.durability":"request"}}})"}) {
        INFO(body);
        const auto settings = loading(body)["settings"];
        CHECK(settings.size() == 5);
        CHECK(settings["index.refresh_interval"] == "-1");
        CHECK(settings["index.translog.durability"] == "async");
        CHECK(own(body) == json{{"index.refresh_interval", "7s"},
                                {"index.number_of_replicas", nullptr},
                                {"index.auto_expand_replicas", nullptr},
                                {"index.translog.durability", "request"},
                                {"index.translog.flush_threshold_size", nullptr}});
    }
}

TEST_CASE("everything else stays as it is, lists and analyzers too") {
    const auto body = loading(
        R"({"settings":{"number_of_shards":3,"analysis":{"filter":{"f":{"type":"stop","stopwords":["a","b"]}}}},)"
        R"("mappings":{"properties":{"word":{"type":"keyword"}}}})");
    CHECK(body["settings"]["index.number_of_shards"] == 3);
    CHECK(body["settings"]["index.analysis.filter.f.stopwords"] == json{"a", "b"});
    CHECK(body["mappings"]["properties"]["word"]["type"] == "keyword");
}

TEST_CASE("a body that is none is refused with the file's name") {
    for (const char* const body : {"", "[]", R"({"settings":[]})"}) {
        INFO(body);
        const auto refused = loading_body(with(body));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind == pawl::ErrorKind::invalid);
        CHECK(refused.error().message.starts_with("lex.index.json"));
        CHECK_FALSE(own_settings(with(body)));
    }
}
