#include "engine/coalesce.h"

#include <rapidcheck.h>

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "tests/unit/engine/rows.h"

using namespace pawl::engine;
using namespace pawl::engine::testing;

TEST_CASE("each entity keeps its row with the highest revision, in rising order") {
    const std::vector<Row> rows{index_row(1, "a"), index_row(2, "b"), remove_row(3, "a"), index_row(4, "c"),
                                index_row(5, "b")};
    const auto actions = coalesce(rows);
    CHECK(revisions_of(actions) == std::vector<Revision>{3, 4, 5});
    CHECK(actions.front().action == Action::remove);
}

TEST_CASE("entities are told apart by their bytes") {
    using namespace std::string_view_literals;
    const std::vector<Row> rows{index_row(1, "a"), index_row(2, "A"), index_row(3, "a "),
                                index_row(4, "a\0"sv)};
    CHECK(coalesce(rows).size() == 4);
}

TEST_CASE("coalescing any rows in any order gives the latest row of each entity") {
    REQUIRE(rc::check([](const std::vector<std::uint8_t>& entities, std::uint64_t seed) {
        std::vector<std::string> names;
        for (const std::uint8_t entity : entities)
            names.push_back(std::to_string(entity % 5));
        std::vector<Row> rows;
        std::map<std::string, Revision> latest;
        for (std::size_t i = 0; i < names.size(); ++i) {
            const Revision revision = 1 + (i * 7 + seed % 97) % 1009;
            rows.push_back(index_row(revision, names[i]));
            latest[names[i]] = std::max(latest[names[i]], revision);
        }
        const auto actions = coalesce(rows);
        RC_ASSERT(actions.size() == latest.size());
        for (std::size_t i = 0; i < actions.size(); ++i) {
            RC_ASSERT(latest.at(std::string(actions[i].entity)) == actions[i].revision);
            RC_ASSERT((i == 0 || actions[i - 1].revision <= actions[i].revision));
        }
    }));
}

TEST_CASE("a content counts actions by kind and knows them by their digest") {
    const std::vector<Row> actions{index_row(1, "a"), remove_row(2, "b"), invalid_row(3, "c"),
                                   index_row(4, "d")};
    const auto content = content_of(actions, 9);
    CHECK(content.rows == 9);
    CHECK(content.indexed == 2);
    CHECK(content.removed == 1);
    CHECK(content.invalid == 1);
    CHECK(content.digest == content_of(actions, 9).digest);
    std::vector<Row> others = actions;
    others[1].action = Action::index;
    CHECK(content.digest != content_of(others, 9).digest);
    others = actions;
    others[0].revision = 7;
    CHECK(content.digest != content_of(others, 9).digest);
}

TEST_CASE("an older row that comes after a newer one of its entity is left out") {
    const std::vector<Row> rows{index_row(5, "a"), index_row(3, "a"), index_row(4, "b")};
    CHECK(revisions_of(coalesce(rows)) == std::vector<Revision>{4, 5});
}
