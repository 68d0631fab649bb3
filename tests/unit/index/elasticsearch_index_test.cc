#include "index/elasticsearch_index.h"

#include <catch2/catch.hpp>

#include "base/time.h"
#include "tests/unit/index/fake_server.h"
#include "tests/unit/index/inbox.h"

using namespace pawl;
using engine::Action;
using engine::ItemStatus;
using index::ElasticsearchIndex;
using index::HttpClient;
using test::FakeReply;
using test::FakeServer;
using test::reply;

namespace {

struct World {
    explicit World(std::vector<FakeReply> script, bool gzip = false) : server(std::move(script)) {
        settings.urls = {server.url()};
        settings.gzip = gzip;
        client = std::move(HttpClient::make(settings).value());
        port = std::make_unique<ElasticsearchIndex>(*client, settings, index, inbox);
    }

    engine::BulkRequest bulk(engine::RequestId id, std::size_t count) {
        auto page = std::make_shared<engine::Page>();
        for (std::size_t i = 0; i < count; ++i)
            page->add({i + 1, Action::index, "e" + std::to_string(i), R"({"a":1})"});
        return {id, page, page->rows(), ""};
    }

    template <class Event>
    Event next() {
        auto event = inbox.next();
        REQUIRE(std::holds_alternative<Event>(event));
        return std::get<Event>(std::move(event));
    }

    FakeServer server;
    config::Elasticsearch settings;
    config::Index index{"lex", "", ""};
    test::WaitingInbox inbox;
    std::unique_ptr<HttpClient> client;
    std::unique_ptr<ElasticsearchIndex> port;
};

ErrorKind kind_of_failure(FakeReply with) {
    World world({std::move(with)});
    world.port->send(world.bulk(7, 1));
    const auto failed = world.next<engine::BulkFailed>();
    CHECK(failed.id == 7);
    return failed.error.kind;
}

}  // namespace

TEST_CASE("a bulk is answered action by action") {
    World world({reply(200, R"({"errors":true,"items":[{"index":{"status":201}},)"
                            R"({"index":{"status":400,"error":{"type":"t","reason":"r"}}}]})")});
    world.port->send(world.bulk(3, 2));
    const auto answered = world.next<engine::BulkAnswered>();
    CHECK(answered.id == 3);
    REQUIRE(answered.items.size() == 2);
    CHECK(answered.items[0].status == ItemStatus::done);
    CHECK(answered.items[1].status == ItemStatus::rejected);
    const auto request = world.server.wait_for_requests(1).front();
    CHECK_THAT(request.head,
               Catch::StartsWith("POST /lex/_bulk?require_alias=true&timeout=25000ms&filter_path="));
    CHECK_THAT(request.body, Catch::StartsWith(R"({"index":{"_id":"e0","version":1,)"));
}

TEST_CASE("the failure of a whole bulk has the kind that the engine reacts to") {
    CHECK(kind_of_failure(reply(400, "{}")) == ErrorKind::rejected);
    CHECK(kind_of_failure(reply(401, "{}")) == ErrorKind::forbidden);
    CHECK(kind_of_failure(reply(404, "{}")) == ErrorKind::target_missing);
    CHECK(kind_of_failure(reply(413, "")) == ErrorKind::too_large);
    CHECK(kind_of_failure(reply(429, "{}")) == ErrorKind::overloaded);
    CHECK(kind_of_failure(reply(503, "{}")) == ErrorKind::unavailable);
    CHECK(kind_of_failure(reply(200, R"({"errors":false,"items":[)")) == ErrorKind::unavailable);
    CHECK(kind_of_failure({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
                           .then = FakeReply::Then::reset}) == ErrorKind::unavailable);
}

TEST_CASE("a compressed request says so") {
    World world({reply(200, R"({"errors":false,"items":[{"index":{"status":201}}]})")}, true);
    world.port->send(world.bulk(1, 1));
    world.next<engine::BulkAnswered>();
    const auto request = world.server.wait_for_requests(1).front();
    CHECK_THAT(request.head, Catch::Contains("Content-Encoding: gzip\r\n"));
    CHECK(request.body.starts_with("\x1f\x8b"));
}

TEST_CASE("a request that should have begun before is not sent") {
    World world({reply(200, R"({"errors":false,"items":[{"index":{"status":201}}]})")});
    auto late = world.bulk(1, 1);
    late.begin_before = clock_now();
    world.port->send(std::move(late));
    const auto failed = world.next<engine::BulkFailed>();
    CHECK(failed.id == 1);
    CHECK(failed.error.kind == ErrorKind::unavailable);
    CHECK(world.server.connections() == 0);

    constexpr TimeMs minute = 60'000;
    auto in_time = world.bulk(2, 1);
    in_time.begin_before = clock_now() + minute;
    world.port->send(std::move(in_time));
    CHECK(world.next<engine::BulkAnswered>().id == 2);
}

TEST_CASE("a page is let go when its answer is in") {
    World world({reply(200, R"({"errors":false,"items":[{"index":{"status":201}}]})")});
    auto request = world.bulk(1, 1);
    const std::weak_ptr<const engine::Page> page = request.page;
    world.port->send(std::move(request));
    world.next<engine::BulkAnswered>();
    world.port.reset();
    CHECK(page.expired());
}

TEST_CASE("after its end a port posts nothing, and what was under way is aborted") {
    World world({{.bytes = "", .is_held = true}, {.bytes = "", .is_held = true}});
    world.port->send(world.bulk(1, 1));
    world.port->prepare();
    world.server.wait_for_requests(2);
    world.port.reset();
    CHECK(world.inbox.is_empty());
    world.server.release();
    world.server.wait_for_hang_ups(2);
    CHECK(world.inbox.is_empty());
}

TEST_CASE("a target that cannot be found is an event with place and advice") {
    World world({reply(200, "<html>"), reply(200, R"({"version":{"number":"6.0.0"}})")});
    world.port->prepare();
    const auto failed = world.next<engine::TargetFailed>();
    CHECK(failed.error.kind == ErrorKind::invalid);
    CHECK_THAT(failed.error.message, Catch::StartsWith("index of alias lex: "));
    world.port->prepare();
    CHECK_THAT(world.next<engine::TargetFailed>().error.message, Catch::Contains("too old"));
}
