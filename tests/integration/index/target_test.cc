#include <catch2/catch.hpp>
#include <thread>

#include "index/check.h"
#include "index/checkpoint.h"
#include "index/target.h"
#include "tests/integration/index/real_index.h"
#include "tests/integration/servers.h"

using namespace pawl;
using index::Method;
using test::RealIndex;

namespace {

config::Elasticsearch settings() {
    config::Elasticsearch made;
    made.urls = {test::index_server().url};
    return made;
}

engine::TargetFacts ready(RealIndex& world) {
    return test::prepared(world);
}

Error refusal(RealIndex& world) {
    world.port().prepare();
    const auto event = world.next_event();
    REQUIRE(std::holds_alternative<engine::TargetFailed>(event));
    return std::get<engine::TargetFailed>(event).error;
}

std::string with_alias(const std::string& alias, const std::string& properties = "{}") {
    return R"({"aliases":{")" + alias + "\":" + properties + "}}";
}

engine::ItemStatus status_of_one(RealIndex& world) {
    return test::status_of(world, {1, "a", R"({"n":1})"});
}

}  // namespace

TEST_CASE("product and version are found out") {
    RealIndex world(settings());
    world.begin();
    auto name = ready(world).server;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char byte) {
        return byte == ' ' ? '-' : static_cast<char>(std::tolower(byte));
    });
    CHECK(name == test::index_server().name);
}

TEST_CASE("a missing index is made as configured, with its alias and a longer gc_deletes") {
    RealIndex world(settings());
    world.begin();
    const auto facts = ready(world);
    CHECK(facts.created);
    CHECK(facts.gc_deletes_ms == 3'600'000);
    CHECK(facts.identity.alias == world.alias());
    CHECK_THAT(facts.identity.index, Catch::StartsWith(world.alias() + "-20"));
    const auto made = world.must(Method::get, "/" + facts.identity.index);
    CHECK(made[facts.identity.index]["mappings"]["dynamic"] == "strict");
    CHECK(made[facts.identity.index]["settings"]["index"]["uuid"] == facts.identity.uuid);

    const auto again = ready(world);
    CHECK_FALSE(again.created);
    CHECK(again.identity == facts.identity);
}

TEST_CASE("an index that is there already is taken as it is") {
    RealIndex world(settings());
    world.begin_without_index(false);
    world.must(Method::put, "/" + world.alias() + "-x", with_alias(world.alias()));
    const auto facts = ready(world);
    CHECK(facts.identity.index == world.alias() + "-x");
    CHECK(facts.gc_deletes_ms == 60'000);
    CHECK_FALSE(facts.created);
    CHECK(status_of_one(world) == engine::ItemStatus::done);
}

TEST_CASE("of several indices behind the alias the write index is taken; without one, it is refused") {
    RealIndex world(settings());
    world.begin_without_index(false);
    world.must(Method::put, "/" + world.alias() + "-1", with_alias(world.alias()));
    world.must(Method::put, "/" + world.alias() + "-2", with_alias(world.alias()));
    CHECK_THAT(refusal(world).message,
               Catch::Contains("no write index") && Catch::Contains(world.alias() + "-2"));
    // Found out only while it runs, it must not look like a fault of the documents.
    CHECK(status_of_one(world) == engine::ItemStatus::target_missing);

    world.must(Method::post, "/_aliases",
               R"({"actions":[{"add":{"index":")" + world.alias() + R"(-2","alias":")" + world.alias() +
                   R"(","is_write_index":true}}]})");
    CHECK(ready(world).identity.index == world.alias() + "-2");
    CHECK(status_of_one(world) == engine::ItemStatus::done);
}

TEST_CASE("a plain index of the alias's name is refused") {
    RealIndex world(settings());
    world.begin_without_index(true);
    world.must(Method::put, "/" + world.alias());
    const auto error = refusal(world);
    CHECK(error.kind == ErrorKind::invalid);
    CHECK_THAT(error.message, Catch::Contains("not an alias"));
    CHECK(status_of_one(world) == engine::ItemStatus::target_missing);
}

TEST_CASE("a missing alias without `create` is refused, and nothing is made") {
    RealIndex world(settings());
    world.begin_without_index(false);
    CHECK_THAT(refusal(world).advice, Catch::Contains("pipeline.index.create"));
    CHECK(status_of_one(world) == engine::ItemStatus::target_missing);
    CHECK(world.ask(Method::get, "/" + world.alias()).status == 404);
}

TEST_CASE("an index with routing or with too short a memory for deletes is refused") {
    RealIndex world(settings());
    world.begin_without_index(false);
    world.must(
        Method::put, "/" + world.alias() + "-1",
        R"({"settings":{"index.gc_deletes":"5s"},"mappings":{"_routing":{"required":true}},"aliases":{")" +
            world.alias() + "\":{}}}");
    CHECK_THAT(refusal(world).message, Catch::Contains("gc_deletes is 5000 ms"));
    CHECK(status_of_one(world) == engine::ItemStatus::target_missing);  // routing is missing
    world.must(Method::put, "/" + world.alias() + "-1/_settings", R"({"index.gc_deletes":"1h"})");
    CHECK_THAT(refusal(world).message, Catch::Contains("routing"));
}

TEST_CASE("of several that make the index at once, one does, and all find the same") {
    RealIndex world(settings());
    world.begin();
    const index::Call call = [&world](index::HttpRequest request) {
        index::HttpSession session(world.client());
        return session.call(std::move(request));
    };
    constexpr std::size_t count = 4;
    std::vector<Result<engine::TargetFacts>> found(count);
    std::vector<std::thread> makers;
    for (std::size_t i = 0; i < count; ++i)
        // Each with another second, so that the names differ.
        makers.emplace_back([&, i] {
            found[i] = index::prepare_target(call, world.index(),
                                             1'795'486'504'000 + static_cast<TimeMs>(i) * 1'000);
        });
    for (auto& maker : makers)
        maker.join();
    std::size_t created = 0;
    for (const auto& one : found) {
        INFO((one ? "" : to_line(one.error())));
        REQUIRE(one);
        CHECK(one->identity == found[0]->identity);
        created += one->created ? 1 : 0;
    }
    CHECK(created == 1);
}

TEST_CASE("settings that the server refuses are an error with its words") {
    RealIndex world(settings());
    world.begin_without_index(false);
    auto index = world.index();
    index.create_body = R"({"mappings":{"properties":{"a":{"type":"no_such_type"}}}})";
    index::HttpSession session(world.client());
    const auto made = index::create_target(
        [&](index::HttpRequest request) { return session.call(std::move(request)); }, index, 0);
    REQUIRE_FALSE(made);
    CHECK(made.error().kind == ErrorKind::invalid);
    CHECK_THAT(made.error().message, Catch::Contains("no_such_type"));
}

TEST_CASE("an operator's block or closed index makes bulks wait, not fail") {
    RealIndex world(settings());
    world.begin();
    const auto index = ready(world).identity.index;
    for (const auto* const block : {"write", "read_only_allow_delete"}) {
        const auto name = "\"index.blocks." + std::string(block) + "\"";
        world.must(Method::put, "/" + index + "/_settings", "{" + name + ":true}");
        CHECK(status_of_one(world) == engine::ItemStatus::retry);
        world.must(Method::put, "/" + index + "/_settings", "{" + name + ":null}");
    }
    world.must(Method::post, "/" + index + "/_close");
    CHECK(status_of_one(world) == engine::ItemStatus::retry);
    world.must(Method::post, "/" + index + "/_open");
    CHECK(status_of_one(world) == engine::ItemStatus::done);
}

TEST_CASE("a document that is no JSON, by whatever mistake, is refused alone") {
    RealIndex world(settings());
    world.begin();
    ready(world);
    const auto items = test::answer_of(world, {{1, "a", R"({"n":)"}, {1, "b", R"({"n":1})"}});
    CHECK(items[0].status == engine::ItemStatus::rejected);
    CHECK(items[1].status == engine::ItemStatus::done);
}

TEST_CASE("a bulk that the server refuses as a whole is a failure of kind rejected") {
    RealIndex world(settings());
    world.begin();
    ready(world);
    world.port().send(
        test::bulk_of(world, 7, {{1, std::string(600, 'x'), R"({"n":1})"}, {1, "b", R"({"n":1})"}}));
    const auto event = world.next_event();
    REQUIRE(std::holds_alternative<engine::BulkFailed>(event));
    CHECK(std::get<engine::BulkFailed>(event).error.kind == ErrorKind::rejected);
    CHECK_FALSE(world.document("b"));
}

TEST_CASE("a bulk above the server's limit is a failure of kind too_large") {
    RealIndex world(settings());
    world.begin();
    ready(world);
    const std::string part = R"({"t":")" + std::string(30'000'000, 'x') + "\"}";
    world.port().send(
        test::bulk_of(world, 8, {{1, "a", part}, {1, "b", part}, {1, "c", part}, {1, "d", part}}));
    const auto event = world.next_event();
    REQUIRE(std::holds_alternative<engine::BulkFailed>(event));
    const auto& error = std::get<engine::BulkFailed>(event).error;
    INFO(to_line(error));
    CHECK(error.kind == ErrorKind::too_large);
}

TEST_CASE("check tells what it found of the real server") {
    RealIndex world(settings());
    world.begin();
    config::Pipeline pipeline;
    pipeline.name = "lex";
    pipeline.index = world.index();
    const auto texts = [&] {
        std::string all;
        for (const auto& notice : index::check(world.client(), world.settings(), pipeline)) {
            CHECK(notice.severity == engine::Severity::info);
            all += notice.text + "\n";
        }
        return all;
    };
    CHECK_THAT(texts(), Catch::Contains("pawl will make it"));
    ready(world);
    CHECK_THAT(texts(), Catch::Contains("writes go to index " + world.alias()));
}

TEST_CASE("the keys that others keep in _meta stay, in their order and with their values") {
    RealIndex world(settings());
    world.begin();
    const auto facts = ready(world);
    const std::string path = "/" + facts.identity.index + "/_mapping";
    world.must(Method::put, path,
               R"({"_meta":{"z":{"b":[1,2.5,null]},"owner":"lexicon team \u00e4","a":true}})");
    CHECK_FALSE(ready(world).remembered);
    const engine::Remembered told{.pipeline = "lex",
                                  .source = {journal::SourceMode::revision, "karp", "lex"},
                                  .revision = 7,
                                  .owed = {},
                                  .anchor = {},
                                  .shape = 2,
                                  .written_at = 1'000};
    test::remember(world, told, facts.identity.uuid);
    const auto mapping = world.must(Method::get, path)[facts.identity.index]["mappings"];
    CHECK(mapping["_meta"]["owner"] == "lexicon team ä");
    CHECK(mapping["_meta"]["z"]["b"] == nlohmann::json::array({1, 2.5, nullptr}));
    CHECK(mapping["_meta"]["a"] == true);
    CHECK(mapping["properties"].contains("n"));
    CHECK(ready(world).remembered == told);
    // Somebody overwrites the whole of it.
    world.must(Method::put, path, R"({"_meta":{"owner":"x"}})");
    CHECK_FALSE(ready(world).remembered);
}

// As a snapshot that is restored over a closed index. What it had remembered is overwritten by then.
TEST_CASE("a checkpoint that comes to an index which was restored meanwhile is taken back") {
    RealIndex world(settings());
    world.begin();
    const auto identity = ready(world).identity;
    bool is_restored = false;
    index::HttpSession session(world.client());
    const index::Call call = [&](index::HttpRequest request) {
        if (request.method == Method::put && !std::exchange(is_restored, true)) {
            world.must(Method::remove, "/" + identity.index);
            world.must(Method::put, "/" + identity.index, with_alias(world.alias()));
            world.must(Method::put, "/" + identity.index + "/_mapping", R"({"_meta":{"owner":"lexicon"}})");
        }
        return session.call(std::move(request));
    };
    const engine::Remembered told{
        .pipeline = "lex", .source = {journal::SourceMode::revision, "karp", "lex"}, .revision = 7};
    const auto written = index::write_checkpoint(call, world.alias(), identity.uuid, told);
    REQUIRE_FALSE(written.has_value());
    CHECK(written.error().kind == ErrorKind::target_missing);
    const auto facts = ready(world);
    CHECK(facts.identity.uuid != identity.uuid);
    CHECK_FALSE(facts.remembered);
}

TEST_CASE("what a newer pawl, or something else, has put into _meta.pawl is refused with what to do") {
    RealIndex world(settings());
    world.begin();
    const auto index = ready(world).identity.index;
    const auto with = [&](const std::string& pawl) {
        world.must(Method::put, "/" + index + "/_mapping", R"({"_meta":{"pawl":)" + pawl + "}}");
        return refusal(world);
    };
    const auto newer = with(R"({"format":3,"anything":"goes"})");
    CHECK(newer.kind == ErrorKind::invalid);
    CHECK_THAT(newer.message, Catch::Contains(index) && Catch::Contains("format 3"));
    CHECK_THAT(newer.advice, Catch::Contains("upgrade"));
    const auto other = with(R"("a pawl is a part of a ratchet")");
    CHECK(other.kind == ErrorKind::invalid);
    CHECK_THAT(other.advice, Catch::Contains("PUT /" + index + "/_mapping"));
}

TEST_CASE("an index whose translog is asynchronous is flushed before it remembers") {
    RealIndex world(settings());
    world.begin();
    const auto facts = ready(world);
    CHECK_FALSE(facts.async_durable);
    world.must(Method::put, "/" + facts.identity.index + "/_settings",
               R"({"index.translog.durability":"async"})");
    CHECK(ready(world).async_durable);
    CHECK(status_of_one(world) == engine::ItemStatus::done);
    const auto flushes = [&] {
        const auto stats = world.must(Method::get, "/" + facts.identity.index + "/_stats/flush");
        return stats["_all"]["primaries"]["flush"]["total"].get<int>();
    };
    const int before = flushes();
    const engine::Remembered told{.pipeline = "lex",
                                  .source = {journal::SourceMode::revision, "karp", "lex"}};
    test::remember(world, told, facts.identity.uuid);
    CHECK(flushes() > before);
}
