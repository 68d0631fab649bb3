#include "index/server.h"

#include <catch2/catch.hpp>

#include "tests/unit/index/scripted_call.h"

using pawl::ErrorKind;
using pawl::index::find_server;
using pawl::test::ScriptedCall;

namespace {
constexpr const char* nodes_path = "GET /_nodes/_local?filter_path=nodes.*.version";
}

TEST_CASE("Elasticsearch says its version at its root") {
    ScriptedCall script{{{"GET /", {{200, R"({"version":{"number":"8.19.7","build_flavor":"default"}})"}}}}};
    const auto server = find_server(script.call());
    REQUIRE(server);
    CHECK(name_of(*server) == "Elasticsearch 8.19.7");
}

TEST_CASE("OpenSearch is known by its distribution, whatever version it pretends to be") {
    ScriptedCall script{
        {{"GET /", {{200, R"({"version":{"distribution":"opensearch","number":"7.10.2"}})"}}}}};
    const auto server = find_server(script.call());
    REQUIRE(server);
    CHECK(server->product == "OpenSearch");
}

TEST_CASE("where the root is not there, the nodes are asked") {
    ScriptedCall script{
        {{"GET /", {{405, "{}"}}}, {nodes_path, {{200, R"({"nodes":{"x":{"version":"9.2.0"}}})"}}}}};
    const auto server = find_server(script.call());
    REQUIRE(server);
    CHECK(name_of(*server) == "Elasticsearch 9.2.0");
}

TEST_CASE("a version that is too old is refused") {
    for (const auto* version : {"6.8.0", "7.16.3", "7"}) {
        ScriptedCall script{
            {{"GET /", {{200, std::string(R"({"version":{"number":")") + version + R"("}})"}}}}};
        const auto server = find_server(script.call());
        REQUIRE_FALSE(server);
        CHECK(server.error().kind == ErrorKind::invalid);
        CHECK_THAT(server.error().message, Catch::Contains(version));
        CHECK_THAT(server.error().advice, Catch::Contains("7.17"));
    }
}

TEST_CASE("something else that answers is not taken for a search server") {
    for (const auto* body : {"<html>", "[]", "{}", R"({"version":7})", R"({"version":{"number":8}})"}) {
        ScriptedCall script{{{"GET /", {{200, body}}}}};
        const auto server = find_server(script.call());
        REQUIRE_FALSE(server);
        CHECK(server.error().kind == ErrorKind::invalid);
    }
    ScriptedCall nothing{{}};
    CHECK(find_server(nothing.call()).error().kind == ErrorKind::invalid);
}

TEST_CASE("a server that refuses pawl's password says so") {
    ScriptedCall script{{{"GET /", {{401, "{}"}}}}};
    const auto server = find_server(script.call());
    REQUIRE_FALSE(server);
    CHECK(server.error().kind == ErrorKind::forbidden);
}
