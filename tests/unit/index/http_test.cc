#include "index/http.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "tests/unit/index/fake_server.h"

using namespace pawl::index;
using pawl::ErrorKind;
using pawl::Result;
using pawl::test::FakeReply;
using pawl::test::FakeServer;
using Then = pawl::test::FakeReply::Then;

namespace {

pawl::config::Elasticsearch settings_for(std::vector<std::string> urls) {
    pawl::config::Elasticsearch settings;
    settings.urls = std::move(urls);
    return settings;
}

std::unique_ptr<HttpClient> client_for(const pawl::config::Elasticsearch& settings) {
    auto client = HttpClient::make(settings);
    REQUIRE(client);
    return std::move(*client);
}

HttpRequest post(std::string body = "{}\n") {
    return {.method = Method::post,
            .path = "/lex/_bulk?x=1",
            .body = std::move(body),
            .body_type = BodyType::ndjson,
            .timeout_ms = 30'000,
            .answer_bytes_max = 1'000};
}

Result<HttpResponse> one_answer(FakeReply reply, HttpRequest request = post()) {
    FakeServer server({std::move(reply)});
    const auto settings = settings_for({server.url()});
    const auto client = client_for(settings);
    HttpSession session(*client);
    return session.call(std::move(request));
}

}  // namespace

TEST_CASE("a request arrives as it was meant, and its answer comes back") {
    FakeServer server({pawl::test::reply(200, "{\"ok\":1}")});
    const auto client = client_for(settings_for({server.url() + "/"}));
    HttpSession session(*client);
    const auto response = session.call(post("{\"a\":1}\n"));
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->body == "{\"ok\":1}");
    CHECK(response->where == "POST " + server.url() + "/lex/_bulk");
    const auto request = server.wait_for_requests(1).front();
    CHECK_THAT(request.head, Catch::StartsWith("POST /lex/_bulk?x=1 HTTP/1.1\r\n"));
    CHECK_THAT(request.head, Catch::Contains("Content-Type: application/x-ndjson\r\n"));
    CHECK_THAT(request.head, !Catch::Contains("Expect") && !Catch::Contains("Authorization"));
    CHECK(request.body == "{\"a\":1}\n");
}

TEST_CASE("every status is an answer") {
    for (const int status : {200, 201, 400, 401, 404, 413, 429, 500, 502, 503}) {
        const auto response = one_answer(pawl::test::reply(status, "{}"));
        REQUIRE(response);
        CHECK(response->status == status);
    }
}

TEST_CASE("a chunked answer is put together") {
    CHECK(one_answer(pawl::test::chunked_reply({"{\"a\"", ":", "1}"}))->body == "{\"a\":1}");
}

TEST_CASE("a redirect is not followed") {
    auto redirect = pawl::test::reply(302, "");
    redirect.bytes.insert(redirect.bytes.find("\r\n") + 2, "Location: /elsewhere\r\n");
    CHECK(one_answer(redirect)->status == 302);
}

TEST_CASE("an answer that is cut short is no answer") {
    for (const auto then : {Then::close, Then::reset}) {
        const auto response =
            one_answer({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"errors\":", .then = then});
        REQUIRE_FALSE(response);
        CHECK(response.error().kind == ErrorKind::unavailable);
        CHECK_THAT(response.error().message, Catch::StartsWith("POST http://127.0.0.1:"));
    }
}

TEST_CASE("something that does not speak HTTP is no answer") {
    CHECK_FALSE(one_answer({.bytes = "220 mail.example ESMTP\r\n", .then = Then::close}));
    CHECK_FALSE(one_answer({.bytes = "", .then = Then::close}));
}

TEST_CASE("an answer longer than asked for is cut off, and says so") {
    const auto announced = one_answer(pawl::test::reply(200, std::string(1'001, 'x')));
    REQUIRE_FALSE(announced);
    CHECK(announced.error().kind == ErrorKind::too_large);
    CHECK_FALSE(one_answer(pawl::test::chunked_reply({std::string(900, 'x'), std::string(900, 'x')})));
    CHECK(one_answer(pawl::test::reply(200, std::string(1'000, 'x'))));
}

TEST_CASE("an answer that comes before the request is all sent is read") {
    // What a server does with a body above its limit: 413, and the connection goes.
    auto early = pawl::test::reply(413, "{}");
    early.is_early = true;
    CHECK(one_answer(early, post(std::string(100'000, 'x')))->status == 413);
}

TEST_CASE("a server that does not answer in time may manage a smaller request") {
    FakeServer server({{.bytes = "", .is_held = true}});
    const auto client = client_for(settings_for({server.url()}));
    HttpSession session(*client);
    auto request = post();
    request.timeout_ms = 50;
    const auto response = session.call(std::move(request));
    REQUIRE_FALSE(response);
    CHECK_THAT(response.error().message, Catch::Contains("timed out"));
    CHECK(response.error().kind == ErrorKind::overloaded);  // a smaller request may come through
}

TEST_CASE("where nobody listens, the error says where and what to do") {
    const auto url = pawl::test::dead_url();
    const auto client = client_for(settings_for({url}));
    HttpSession session(*client);
    const auto response = session.call(post());
    REQUIRE_FALSE(response);
    CHECK(response.error().kind == ErrorKind::unavailable);
    CHECK_THAT(response.error().message, Catch::StartsWith("POST " + url + "/lex/_bulk: "));
    CHECK_THAT(response.error().advice, Catch::Contains("elasticsearch.urls"));
}

TEST_CASE("connections are kept, and kept connections that the server closed do no harm") {
    auto last = pawl::test::reply(200, "{}");
    last.then = Then::close;
    FakeServer server({pawl::test::reply(200, "{}"), last, pawl::test::reply(200, "{}")});
    const auto client = client_for(settings_for({server.url()}));
    HttpSession session(*client);
    for (int i = 0; i < 3; ++i)
        CHECK(session.call(post(std::string(300'000, 'x'))));
    CHECK(server.connections() == 2);
}

TEST_CASE("a dead URL is passed over within one request, and rests") {
    FakeServer server({pawl::test::reply(200, "{}"), pawl::test::reply(200, "{}")});
    const auto client = client_for(settings_for({pawl::test::dead_url(), server.url()}));
    HttpSession session(*client);
    for (int i = 0; i < 2; ++i) {
        const auto response = session.call(post());
        REQUIRE(response);
        CHECK_THAT(response->where, Catch::Contains(server.url()));
    }
}

TEST_CASE("a request that was lost on its way is not sent again by itself, but the next one goes elsewhere") {
    FakeServer first({{.bytes = "", .then = Then::reset}});
    FakeServer second({pawl::test::reply(200, "{}")});
    const auto client = client_for(settings_for({first.url(), second.url()}));
    HttpSession session(*client);
    CHECK_FALSE(session.call(post()));
    CHECK(session.call(post()));
    CHECK(second.wait_for_requests(1).size() == 1);
}

TEST_CASE("a gateway that has nothing behind it is left for another URL") {
    FakeServer first({pawl::test::reply(502, "<html>")});
    FakeServer second({pawl::test::reply(200, "{}")});
    const auto client = client_for(settings_for({first.url(), second.url()}));
    HttpSession session(*client);
    CHECK(session.call(post())->status == 502);
    CHECK(session.call(post())->status == 200);
}

TEST_CASE("a request for one URL goes to no other") {
    FakeServer server({pawl::test::reply(200, "{}")});
    const auto client = client_for(settings_for({pawl::test::dead_url(), server.url()}));
    HttpSession session(*client);
    auto request = post();
    request.url = 0;
    CHECK_FALSE(session.call(request));
    request.url = 1;
    CHECK(session.call(request));
}

TEST_CASE("user and password go as basic authentication, an API key as such") {
    FakeServer server({pawl::test::reply(200, "{}"), pawl::test::reply(200, "{}")});
    auto settings = settings_for({server.url()});
    settings.user = "pawl";
    settings.password = pawl::config::Secret("sesame");
    {
        const auto client = client_for(settings);
        HttpSession session(*client);
        CHECK(session.call(post()));
    }
    settings.user.clear();
    settings.api_key = pawl::config::Secret("c2VjcmV0");
    {
        const auto client = client_for(settings);
        HttpSession session(*client);
        CHECK(session.call(post()));
    }
    const auto requests = server.wait_for_requests(2);
    CHECK_THAT(requests[0].head, Catch::Contains("Authorization: Basic cGF3bDpzZXNhbWU=\r\n"));
    CHECK_THAT(requests[1].head, Catch::Contains("Authorization: ApiKey c2VjcmV0\r\n"));
}

TEST_CASE("no message holds a secret") {
    auto settings = settings_for({pawl::test::dead_url()});
    settings.user = "pawl";
    settings.password = pawl::config::Secret("sesame");
    const auto client = client_for(settings);
    HttpSession session(*client);
    CHECK_THAT(pawl::to_line(session.call(post()).error()), !Catch::Contains("sesame"));

    const auto refused = HttpClient::make(settings_for({"http://pawl:sesame@h:9200"}));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::invalid);
    CHECK_THAT(pawl::to_line(refused.error()), !Catch::Contains("sesame"));
}

TEST_CASE("settings that cannot work are refused before anything is sent") {
    for (const auto* url :
         {"", "h:9200", "ftp://h", "http://", "http://h:99999", "http://h/?q=1", "http://h/#x"})
        CHECK_FALSE(HttpClient::make(settings_for({url})));
    CHECK_FALSE(HttpClient::make(settings_for({})));
    auto settings = settings_for({"http://h"});
    settings.api_key = pawl::config::Secret("key\nX-Other: header");
    CHECK_FALSE(HttpClient::make(settings));
    settings.api_key = pawl::config::Secret("key");
    settings.user = "pawl";
    CHECK_FALSE(HttpClient::make(settings));
}

TEST_CASE("several requests are under way at a time, and each gets its own answer") {
    FakeServer server({{pawl::test::reply(200, "a").bytes, Then::keep, true}, pawl::test::reply(200, "b")});
    const auto client = client_for(settings_for({server.url()}));
    HttpSession session(*client);
    std::promise<std::string> first;
    session.submit(post(), [&first](HttpResult result) { first.set_value(result.response->body); });
    server.wait_for_requests(1);
    CHECK(session.call(post())->body == "b");
    server.release();
    CHECK(first.get_future().get() == "a");
}

TEST_CASE("more requests than connections wait, and all are answered") {
    constexpr std::size_t count = 100;
    FakeServer server(std::vector<FakeReply>(count, pawl::test::reply(200, "{}")));
    const auto client = client_for(settings_for({server.url()}));
    HttpSession session(*client);
    std::atomic<std::size_t> good = 0;
    std::promise<void> all;
    for (std::size_t i = 0; i < count; ++i)
        session.submit(post(), [&](HttpResult result) {
            REQUIRE(result.request_body == "{}\n");
            if (result.response && ++good == count) all.set_value();
        });
    all.get_future().get();
    CHECK(server.connections() <= 32);
}

TEST_CASE("closing a session ends its requests and nobody else's") {
    FakeServer server({{pawl::test::reply(200, "a").bytes, Then::keep, true},
                       {pawl::test::reply(200, "b").bytes, Then::keep, true}});
    const auto client = client_for(settings_for({server.url()}));
    HttpSession kept(*client);
    HttpSession closed(*client);
    std::promise<std::string> kept_answer;
    bool is_answered = false;
    kept.submit(post(), [&](HttpResult result) { kept_answer.set_value(result.response->body); });
    server.wait_for_requests(1);
    closed.submit(post(), [&](HttpResult result) { is_answered = !result.response; });
    server.wait_for_requests(2);
    closed.close();
    CHECK(is_answered);
    CHECK_FALSE(closed.call(post()));
    server.release();
    CHECK(kept_answer.get_future().get() == "a");
    server.wait_for_hang_ups(1);
}

TEST_CASE("names in a path are percent-encoded") {
    CHECK(percent_encoded("lex-1_a.b~") == "lex-1_a.b~");
    CHECK(percent_encoded("a/b?ä") == "a%2Fb%3F%C3%A4");
}
