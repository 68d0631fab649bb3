#include "index/check.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/index/fake_server.h"

using namespace pawl;
using engine::Severity;
using test::FakeServer;
using test::reply;

namespace {

const auto root = reply(200, R"({"version":{"number":"8.19.7"}})");
const auto alias = reply(200, R"({"lex-1":{"aliases":{"lex":{}}}})");
const auto no_routing = reply(200, "{}");
const auto not_there = reply(404, "{}");

std::vector<engine::Notice> found_by_check(const std::vector<std::string>& urls,
                                           const std::string& create_body = "") {
    config::Elasticsearch settings;
    settings.urls = urls;
    config::Pipeline pipeline;
    pipeline.name = "lex";
    pipeline.index = {"lex", "lex.index.json", create_body};
    const auto client = index::HttpClient::make(settings);
    REQUIRE(client);
    return index::check(**client, settings, pipeline);
}

bool has(const std::vector<engine::Notice>& found, Severity severity, const std::string& words) {
    return std::any_of(found.begin(), found.end(), [&](const auto& notice) {
        return notice.severity == severity && notice.text.find(words) != std::string::npos;
    });
}

test::FakeReply settings(const std::string& more) {
    return reply(200, R"({"lex-1":{"settings":{"index.uuid":"u")" + more + "}}}");
}

}  // namespace

TEST_CASE("check finds nothing wrong where nothing is wrong") {
    FakeServer server(
        {root, alias, settings(R"(,"index.gc_deletes":"1h")"), no_routing, not_there, not_there});
    const auto found = found_by_check({server.url()});
    CHECK(has(found, Severity::info, "Elasticsearch 8.19.7"));
    CHECK(has(found, Severity::info, "writes go to index lex-1"));
    CHECK(found.size() == 2);
}

TEST_CASE("check tells all that is wrong with one index at once") {
    FakeServer server({root, alias,
                       settings(R"(,"index.gc_deletes":"20s","index.translog.durability":"async",)"
                                R"("index.blocks.write":"true")"),
                       no_routing, not_there, not_there});
    const auto found = found_by_check({server.url()});
    CHECK(has(found, Severity::warning, "async"));
    CHECK(has(found, Severity::error, "index.blocks.write"));
    CHECK(has(found, Severity::warning, "gc_deletes is 20 s"));
    CHECK(has(found, Severity::warning, "lowered to 9999"));
}

TEST_CASE("check asks each URL and names the one that is dead") {
    FakeServer server({root, alias, settings(""), no_routing, not_there, not_there});
    const auto dead = test::dead_url();
    const auto found = found_by_check({dead, server.url()});
    CHECK(has(found, Severity::error, dead));
    CHECK(has(found, Severity::info, "lex-1"));
    CHECK(has(found_by_check({dead}), Severity::error, dead));
}

TEST_CASE("check says what will be made, and makes nothing") {
    FakeServer server({root, not_there, not_there, not_there, not_there});
    const auto found = found_by_check({server.url()}, "{}");
    CHECK(has(found, Severity::info, "pawl will make it"));
    for (const auto& request : server.wait_for_requests(5))
        CHECK_THAT(request.head, !Catch::StartsWith("PUT"));
    FakeServer another({root, not_there, not_there, not_there, not_there});
    CHECK(has(found_by_check({another.url()}), Severity::error, "there is no alias lex"));
}

TEST_CASE("check names missing privileges and too small limits, where the server tells") {
    FakeServer server({root, alias, settings(""), no_routing,
                       reply(200, R"({"has_all_requested":false,"cluster":{"monitor":true},)"
                                  R"("index":{"lex":{"index":false,"read":true}}})"),
                       reply(200, R"({"nodes":{"x":{"http":{"max_content_length_in_bytes":1000}}}})")});
    const auto found = found_by_check({server.url()});
    CHECK(has(found, Severity::error, "privilege index on lex"));
    CHECK(has(found, Severity::warning, "http.max_content_length"));
}

TEST_CASE("an answer about privileges that is far too deep shows nothing missing") {
    const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
    FakeServer server({root, alias, settings(""), no_routing,
                       reply(200, "{\"index\":{\"lex\":" + deep + "}}"),
                       reply(200, R"({"nodes":{"x":{"http":)" + deep + "}}}")});
    CHECK(found_by_check({server.url()}).size() == 3);
}
