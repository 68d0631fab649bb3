#include "verify/judge.h"

#include <catch2/catch.hpp>

using namespace pawl::verify;

namespace {

constexpr Verdict equal{.finding = Finding::equal};
constexpr Verdict unsettled{.finding = Finding::unsettled};

constexpr Verdict different(Kind kind, bool can_be_healed = true) {
    return {.finding = Finding::different, .kind = kind, .can_be_healed = can_be_healed};
}

// The fixed revision of these tests is 100.
Looked look(std::optional<pawl::engine::Revision> at_fixed, std::optional<pawl::engine::Revision> indexed,
            std::optional<Latest> latest) {
    return {.settled = 100, .at_fixed = at_fixed, .indexed = indexed, .latest = latest};
}

}  // namespace

TEST_CASE("the latest row's version is equal, whether it was there at the fixed revision or came later") {
    CHECK(judge(look(50, 50, Latest{50})) == equal);
    CHECK(judge(look(50, 150, Latest{150})) == equal);
    CHECK(judge(look({}, {}, Latest{50, true})) == equal);
    CHECK(judge(look(50, {}, Latest{150, true})) == equal);
    CHECK(judge(look({}, {}, {})) == equal);
}

TEST_CASE("no document of a living entity is missing, unless it may have been deleted and added since") {
    CHECK(judge(look(50, {}, Latest{50})) == different(Kind::missing));
    CHECK(judge(look(50, {}, Latest{150})) == unsettled);
    CHECK(judge(look({}, {}, Latest{150})) == unsettled);
}

TEST_CASE("an older version is stale, unless it is on its way and above what was settled") {
    CHECK(judge(look(50, 40, Latest{50})) == different(Kind::stale));
    CHECK(judge(look(50, 40, Latest{150})) == different(Kind::stale));
    CHECK(judge(look(50, 50, Latest{150})) == unsettled);
    CHECK(judge(look({}, 120, Latest{150})) == unsettled);
    CHECK(judge(look(50, 50, Latest{150, true})) == unsettled);
}

TEST_CASE("a document of a deleted entity has risen, also with the delete's own version") {
    CHECK(judge(look({}, 40, Latest{50, true})) == different(Kind::risen));
    CHECK(judge(look({}, 50, Latest{50, true})) == different(Kind::risen));
    CHECK(judge(look({}, 150, Latest{150, true})) == different(Kind::risen));
}

TEST_CASE("what the history does not know is surplus, whatever its version") {
    CHECK(judge(look({}, 1, {})) == different(Kind::surplus));
    CHECK(judge(look({}, 1'000, {})) == different(Kind::surplus));
}

TEST_CASE("a version above the latest row is somebody else's, and no row can beat it") {
    CHECK(judge(look(50, 60, Latest{50})) == different(Kind::foreign, false));
    CHECK(judge(look({}, 1'000, Latest{50, true})) == different(Kind::foreign, false));
}

TEST_CASE("a version below that no row of the entity has is somebody else's too, and can be beaten") {
    auto looked = look(50, 40, Latest{50});
    looked.indexed_is_row = false;
    CHECK(judge(looked) == different(Kind::foreign));
    looked.latest = Latest{150};
    looked.indexed = 70;
    CHECK(judge(looked) == different(Kind::foreign));
}

TEST_CASE("another document with the right version is another content") {
    auto looked = look(50, 50, Latest{50});
    looked.same_content = false;
    CHECK(judge(looked) == different(Kind::content));
    looked.indexed = 40;  // says nothing of another version
    CHECK(judge(looked) == different(Kind::stale));
}

TEST_CASE("every kind has a name of its own") {
    CHECK(name_of(Kind::missing) == "missing");
    CHECK(name_of(Kind::stale) == "stale");
    CHECK(name_of(Kind::content) == "content");
    CHECK(name_of(Kind::risen) == "risen");
    CHECK(name_of(Kind::surplus) == "surplus");
    CHECK(name_of(Kind::foreign) == "foreign");
}

namespace {

// Of a table; the outbox has handed out ids up to 100.
TableLooked look_at_table(std::optional<pawl::engine::Revision> indexed, bool has_row,
                          bool same_content = true) {
    return {.indexed = indexed, .outbox_end = 100, .has_row = has_row, .same_content = same_content};
}

}  // namespace

TEST_CASE("of a table, a document that is the row's is equal, whatever its version and whatever waits") {
    CHECK(judge(look_at_table(0, true)) == equal);
    CHECK(judge(look_at_table(100, true)) == equal);
    CHECK(judge(look_at_table({}, false)) == equal);
    TableLooked pending = look_at_table(7, true);
    pending.is_pending = pending.has_changed = true;
    CHECK(judge(pending) == equal);
}

TEST_CASE("of a table, what differs while nothing waits is missing, content or surplus") {
    CHECK(judge(look_at_table({}, true)) == different(Kind::missing));
    CHECK(judge(look_at_table(7, true, false)) == different(Kind::content));
    CHECK(judge(look_at_table(7, false)) == different(Kind::surplus));
    CHECK(judge(look_at_table(101, false)) == different(Kind::surplus));
}

TEST_CASE("of a table, a version above all ids is foreign, also of the right document") {
    CHECK(judge(look_at_table(101, true)) == different(Kind::foreign, false));
    CHECK(judge(look_at_table(101, true, false)) == different(Kind::foreign, false));
}

TEST_CASE("of a table, what waits in the outbox or changes meanwhile is not settled") {
    for (const auto& looked : {look_at_table({}, true), look_at_table(7, true, false),
                               look_at_table(7, false), look_at_table(101, true)}) {
        TableLooked pending = looked;
        pending.is_pending = true;
        CHECK(judge(pending) == unsettled);
        TableLooked changed = looked;
        changed.has_changed = true;
        CHECK(judge(changed) == unsettled);
    }
}
