// What every engine::IndexPort must do, whatever is behind it: a real server or the simulated index.
//
// A test program gives a `World` and calls run_index_contract(world) within a TEST_CASE; each case starts
// with an empty index of its own.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/ports.h"

namespace pawl::test {

// What a case needs of the world behind the port.
class IndexWorld {
  public:
    virtual ~IndexWorld() = default;
    // A new, empty index with these fields behind the alias, strict: { "n": long, "k": keyword, "d": date,
    // "t": any text }. The port is new too.
    virtual void begin() = 0;
    virtual engine::IndexPort& port() = 0;
    // The port's next event; waits for it.
    virtual engine::Event next_event() = 0;
    // The document as it is stored now; nullopt: there is none.
    virtual std::optional<std::string> document(const std::string& entity) = 0;
    virtual std::optional<std::uint64_t> version(const std::string& entity) = 0;
    // An operator deletes the index.
    virtual void delete_index() = 0;
    // An operator lets the alias lead to a new, empty index with the same fields.
    virtual void move_alias() = 0;

    std::string found;  // the index, by prepared()
};

struct ContractAction {
    engine::Revision revision;
    std::string entity;
    std::optional<std::string> document;  // nullopt: remove
};

inline engine::BulkRequest bulk_of(const IndexWorld& world, engine::RequestId id,
                                   const std::vector<ContractAction>& actions) {
    auto page = std::make_shared<engine::Page>();
    page->read_at = clock_now();
    for (const auto& action : actions)
        page->add({action.revision, action.document ? engine::Action::index : engine::Action::remove,
                   action.entity, action.document.value_or("")});
    return {id, page, page->rows(), world.found};
}

inline std::vector<engine::ItemResult> answer_of(IndexWorld& world,
                                                 const std::vector<ContractAction>& actions) {
    static engine::RequestId last_id = 0;
    world.port().send(bulk_of(world, ++last_id, actions));
    const auto event = world.next_event();
    if (const auto* const failed = std::get_if<engine::BulkFailed>(&event)) FAIL(to_line(failed->error));
    const auto& answered = std::get<engine::BulkAnswered>(event);
    REQUIRE(answered.id == last_id);
    REQUIRE(answered.items.size() == actions.size());
    return answered.items;
}

inline engine::ItemStatus status_of(IndexWorld& world, const ContractAction& action) {
    return answer_of(world, {action}).front().status;
}

inline engine::TargetFacts prepared(IndexWorld& world) {
    world.port().prepare();
    const auto event = world.next_event();
    if (const auto* const failed = std::get_if<engine::TargetFailed>(&event)) FAIL(to_line(failed->error));
    const engine::TargetFacts& facts = std::get<engine::TargetReady>(event).facts;
    world.found = facts.identity.index;
    return facts;
}

inline void remember(IndexWorld& world, const engine::Remembered& remembered, const std::string& uuid) {
    world.port().remember(remembered, uuid);
    const auto event = world.next_event();
    if (const auto* const failed = std::get_if<engine::CheckpointFailed>(&event))
        FAIL(to_line(failed->error));
    REQUIRE(std::holds_alternative<engine::CheckpointWritten>(event));
}

inline void run_index_contract(IndexWorld& world) {
    using enum engine::ItemStatus;
    world.begin();
    prepared(world);

    SECTION("the highest revision wins, in whatever order they come") {
        CHECK(status_of(world, {5, "a", R"({"n":5})"}) == done);
        const auto late = answer_of(world, {{4, "a", R"({"n":4})"}}).front();
        CHECK(late.status == superseded);
        CHECK(late.stored_version == 5U);
        CHECK(world.document("a") == R"({"n":5})");
        CHECK(status_of(world, {6, "a", R"({"n":6})"}) == done);
        CHECK(world.document("a") == R"({"n":6})");
    }
    SECTION("the same action again is done again") {
        CHECK(status_of(world, {5, "a", R"({"n":5})"}) == done);
        CHECK(status_of(world, {5, "a", R"({"n":5})"}) == done);
        CHECK(status_of(world, {6, "a", {}}) == done);
        CHECK(status_of(world, {6, "a", {}}) == done);
        CHECK_FALSE(world.document("a"));
    }
    SECTION("a late index action does not raise what was deleted, a newer one does") {
        CHECK(status_of(world, {5, "a", R"({"n":5})"}) == done);
        CHECK(status_of(world, {7, "a", {}}) == done);
        CHECK(status_of(world, {6, "a", R"({"n":6})"}) == superseded);
        CHECK_FALSE(world.document("a"));
        CHECK(status_of(world, {8, "a", R"({"n":8})"}) == done);
        CHECK(world.document("a") == R"({"n":8})");
    }
    SECTION("a late delete does not take what is newer") {
        CHECK(status_of(world, {5, "a", R"({"n":5})"}) == done);
        CHECK(status_of(world, {4, "a", {}}) == superseded);
        CHECK(world.document("a") == R"({"n":5})");
    }
    SECTION("the delete of what never was is done, and remembered") {
        CHECK(status_of(world, {7, "never", {}}) == done);
        CHECK(status_of(world, {6, "never", R"({"n":6})"}) == superseded);
    }
    SECTION("the largest revision is taken") {
        constexpr engine::Revision largest = 9'223'372'036'854'775'807U;
        CHECK(status_of(world, {largest, "a", R"({"n":1})"}) == done);
        CHECK(world.version("a") == largest);
        CHECK(answer_of(world, {{largest - 1, "a", {}}}).front().stored_version == largest);
    }
    SECTION("a refused document holds up no other") {
        const std::string long_keyword(40'000, 'x');
        const auto items = answer_of(world, {{1, "good", R"({"n":1})"},
                                             {1, "big", R"({"n":99999999999999999999})"},
                                             {1, "long", R"({"k":")" + long_keyword + "\"}"},
                                             {1, "empty", R"({"":1})"},
                                             {1, "date", R"({"d":"2026-11-24 02:15:04.1234567"})"},
                                             {1, "strict", R"({"unknown":1})"},
                                             {1, "object", R"({"n":{"a":1}})"},
                                             {1, "gone", {}},
                                             {1, "last", R"({"n":2})"}});
        CHECK(items[0].status == done);
        for (std::size_t i = 1; i < 7; ++i) {
            CAPTURE(i, items[i].error, items[i].reason);
            CHECK(items[i].status == rejected);
            CHECK_FALSE(items[i].error.empty());
            CHECK_FALSE(items[i].reason.empty());
            CHECK(items[i].reason.size() <= 512);
        }
        CHECK(items[7].status == done);
        CHECK(items[8].status == done);
        CHECK(world.document("last") == R"({"n":2})");
        CHECK_FALSE(world.document("big"));
    }
    SECTION("an id is its bytes, whatever they are") {
        const std::vector<std::string> ids{
            "a b",
            "a\"b\\c",
            std::string("nul\0 here", 9),
            "line\nbreak\x01\x1f",
            "åäö 語 🦀",
            "/_bulk?x=%2F",
            "A b",
            "a b ",
            std::string(512, 'x'),
            "../..",
        };
        std::vector<ContractAction> actions;
        for (std::size_t i = 0; i < ids.size(); ++i)
            actions.push_back({i + 1, ids[i], "{\"n\":" + std::to_string(i) + "}"});
        for (const auto& item : answer_of(world, actions))
            CHECK(item.status == done);
        for (std::size_t i = 0; i < ids.size(); ++i) {
            CAPTURE(ids[i]);
            CHECK(world.document(ids[i]) == actions[i].document);
            CHECK(world.version(ids[i]) == i + 1);
        }
    }
    SECTION("several bulks under way are each answered with their own id") {
        constexpr std::size_t requests = 4;
        constexpr std::size_t actions_each = 2'000;
        for (std::size_t request = 0; request < requests; ++request) {
            std::vector<ContractAction> actions;
            for (std::size_t i = 0; i < actions_each; ++i)
                actions.push_back({i + 1, std::to_string(request) + "-" + std::to_string(i),
                                   R"({"n":1,"t":")" + std::string(500, 'x') + "\"}"});
            world.port().send(bulk_of(world, 1'000'000 + request, actions));
        }
        std::map<engine::RequestId, std::size_t> done_items;
        for (std::size_t request = 0; request < requests; ++request) {
            const auto event = world.next_event();
            REQUIRE(std::holds_alternative<engine::BulkAnswered>(event));
            const auto& answered = std::get<engine::BulkAnswered>(event);
            for (const auto& item : answered.items)
                done_items[answered.id] += item.status == done ? 1 : 0;
        }
        for (std::size_t request = 0; request < requests; ++request)
            CHECK(done_items[1'000'000 + request] == actions_each);
    }
    SECTION("a document of 20 MB is taken, or is too large for this server") {
        const std::string large = R"({"t":")" + std::string(20'000'000, 'x') + "\"}";
        world.port().send(bulk_of(world, 20, {{1, "large", large}}));
        const auto event = world.next_event();
        if (const auto* const failed = std::get_if<engine::BulkFailed>(&event)) {
            INFO(to_line(failed->error));
            CHECK(failed->error.kind == ErrorKind::too_large);
            CHECK_FALSE(world.document("large"));
        } else {
            CHECK(std::get<engine::BulkAnswered>(event).items.front().status == done);
            CHECK(world.version("large") == 1U);
        }
    }
    SECTION("it remembers what it was told, and the next one to come is told so") {
        CHECK_FALSE(prepared(world).remembered);
        engine::Remembered told{.pipeline = "lex",
                                .source = {journal::SourceMode::revision, "karp", "lex"},
                                .revision = journal::revision_max,
                                .owed = engine::IntervalSet({{3, 4}, {9, 9}}),
                                .anchor = journal::Anchor{17, 0xfedcba9876543210},
                                .shape = 1,
                                .written_at = 1'732'410'904'123};
        const auto uuid = prepared(world).identity.uuid;
        remember(world, told, uuid);
        CHECK(prepared(world).remembered == told);
        told.revision = 18;
        told.owed = {};
        told.anchor.reset();
        remember(world, told, uuid);
        CHECK(prepared(world).remembered == told);
        CHECK(status_of(world, {5, "a", R"({"n":5})"}) == done);  // its mapping is as it was

        world.port().remember(told, "another-uuid");
        const auto event = world.next_event();
        CHECK(std::get<engine::CheckpointFailed>(event).error.kind == ErrorKind::target_missing);
    }
    SECTION("what another index takes because the alias has moved is told, and not taken for done") {
        CHECK(status_of(world, {5, "a", R"({"n":5})"}) == done);
        const auto before = prepared(world).identity.uuid;
        world.move_alias();
        CHECK(status_of(world, {6, "a", R"({"n":6})"}) == target_missing);
        CHECK(prepared(world).identity.uuid != before);
        CHECK(status_of(world, {6, "a", R"({"n":6})"}) == done);
    }
    SECTION("when the index is gone, every action says so, and nothing is made by itself") {
        world.delete_index();
        for (const auto& item : answer_of(world, {{1, "a", R"({"n":1})"}, {2, "b", {}}}))
            CHECK(item.status == target_missing);
        CHECK_FALSE(world.document("a"));
    }
}

}  // namespace pawl::test
