// Run by with_tls.py, which starts a server with HTTPS and users and says in the environment how to reach it.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "index/check.h"
#include "index/server.h"
#include "tests/integration/index/real_index.h"

using namespace pawl;

namespace {

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    INFO(name);
    REQUIRE(value != nullptr);
    return value;
}

config::Elasticsearch settings() {
    config::Elasticsearch made;
    made.urls = {environment("PAWL_TEST_TLS_URL")};
    made.ca_file = environment("PAWL_TEST_TLS_CA");
    made.user = environment("PAWL_TEST_TLS_USER");
    made.password = config::Secret(environment("PAWL_TEST_TLS_PASSWORD"));
    return made;
}

Error refusal(const config::Elasticsearch& with) {
    auto client = index::HttpClient::make(with);
    REQUIRE(client);
    index::HttpSession session(**client);
    const auto server =
        index::find_server([&](index::HttpRequest request) { return session.call(std::move(request)); });
    REQUIRE_FALSE(server);
    return server.error();
}

}  // namespace

TEST_CASE("the index is reached by HTTPS, user and password") {
    test::RealIndex world(settings());
    world.begin();
    CHECK(test::prepared(world).created);
    CHECK(test::status_of(world, {1, "a", R"({"n":1})"}) == engine::ItemStatus::done);
}

TEST_CASE("a wrong password is forbidden, and is not shown") {
    auto wrong = settings();
    wrong.password = config::Secret("not-this-one");
    const auto error = refusal(wrong);
    CHECK(error.kind == ErrorKind::forbidden);
    CHECK_THAT(error.advice, Catch::Contains("password_file"));
    CHECK_THAT(to_line(error), !Catch::Contains("not-this-one"));
}

TEST_CASE("a server whose certificate the CA did not sign is not talked to") {
    auto wrong = settings();
    wrong.ca_file.clear();
    const auto error = refusal(wrong);
    CHECK(error.kind == ErrorKind::unavailable);
    CHECK_THAT(error.advice, Catch::Contains("ca_file"));
}

TEST_CASE("plain HTTP to an HTTPS port is an error that says what to do") {
    auto wrong = settings();
    wrong.urls.front().replace(0, 5, "http");
    CHECK_THAT(refusal(wrong).advice, Catch::Contains("https"));
}

TEST_CASE("a user without privileges is told which are missing") {
    auto poor = settings();
    poor.user = environment("PAWL_TEST_TLS_POOR_USER");
    CHECK(refusal(poor).kind == ErrorKind::forbidden);

    // With the right user, check asks the server about privileges and finds none missing.
    test::RealIndex world(settings());
    world.begin();
    test::prepared(world);
    config::Pipeline pipeline;
    pipeline.index = world.index();
    for (const auto& notice : index::check(world.client(), world.settings(), pipeline)) {
        INFO(notice.text);
        CHECK(notice.severity == engine::Severity::info);
    }
}
