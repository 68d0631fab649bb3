// What every engine::SourcePort keeps to in outbox mode, real or simulated: cases that a test program calls,
// each from a TEST_CASE of its own with a fresh world. The World and its Transaction are those of
// source_contract.h, of a table with an outbox: put() and remove() change the table and write a row into the
// outbox, whose id they return. And:
//   void hold(entity, body_json);                      a row of the table that no row of the outbox tells of
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/contract/source_contract.h"

namespace pawl::test::outbox_contract {

using engine::IntervalSet;
using engine::Revision;
using source_contract::committed;
using source_contract::entities_of;
using source_contract::from;
using source_contract::Names;
using source_contract::page;
using source_contract::prepared;

template <class World>
Revision removed(World& world, const std::string& entity) {
    auto transaction = world.begin();
    const Revision revision = transaction.remove(entity);
    transaction.commit();
    return revision;
}

template <class World>
engine::CleanedUp cleaned_up(World& world, engine::SourcePort& source, engine::CleanUpRequest request) {
    static engine::RequestId last_id = 9'000;
    request.id = ++last_id;
    if (request.rows_max == 0) request.rows_max = 1'000;
    source.clean_up(std::move(request));
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::CleanUpFailed>(&event)) FAIL(to_line(failed->error));
    CHECK(std::get<engine::CleanedUp>(event).id == last_id);
    return std::get<engine::CleanedUp>(event);
}

template <class World>
std::shared_ptr<const engine::Page> table_page(World& world, engine::SourcePort& source,
                                               const std::string& after, std::uint32_t rows_max = 1'000) {
    engine::ReadRequest request{.id = 79, .revisions = {}, .rows_max = rows_max, .bytes_max = 1 << 20};
    request.table_after = after;
    source.read(request);
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::ReadFailed>(&event)) FAIL(to_line(failed->error));
    return std::get<engine::PageRead>(event).page;
}

// What the outbox holds: entity and id.
template <class World>
std::map<std::string, Revision> left(World& world, engine::SourcePort& source) {
    std::map<std::string, Revision> rows;
    const auto all = page(world, source, from(1));
    for (const engine::Row& row : all->rows())
        rows[world.entity(row)] = row.revision;
    return rows;
}

inline IntervalSet only(std::vector<Revision> revisions) {
    std::ranges::sort(revisions);
    IntervalSet set;
    for (const Revision revision : revisions)
        set.insert(revision);
    return set;
}

// The end, with an id that is taken where those up to `from` were handed out.
template <class World>
Revision end_taken(World& world, engine::SourcePort& source, Revision from) {
    source.look_up({.id = 9'000, .anchors = {}, .take_id_from = from});
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::LookUpFailed>(&event)) FAIL(to_line(failed->error));
    return std::get<engine::LookedUp>(event).answer.history_end;
}

template <class World>
void the_end_of_an_outbox_that_went_back_stays_where_it_is(World& world) {
    const Revision last = committed(world, "a");
    const auto source = world.make_source();
    prepared(world, *source);
    for (int look = 0; look < 3; ++look)
        CHECK(end_taken(world, *source, last + 1) == last);
    CHECK(end_taken(world, *source, last) >= last);
}

template <class World>
void the_end_is_no_id_below_those_before_and_below_all_that_come(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    const Revision begin = end_taken(world, *source, 0);
    CHECK(committed(world, "a") > begin);
    auto open = world.begin();
    const Revision handed_out = open.put("c", "{}");
    const Revision last = committed(world, "b");
    const Revision end = end_taken(world, *source, begin);
    CHECK(end >= std::max(last, handed_out));
    open.commit();
    cleaned_up(world, *source, {.id = 0, .done = IntervalSet({{1, end}})});
    CHECK(left(world, *source).empty());
    const Revision when_empty = end_taken(world, *source, end);
    CHECK(when_empty >= end);
    CHECK(committed(world, "a") > when_empty);
}

template <class World>
void an_entity_comes_once_with_its_highest_id_and_as_it_is_now(World& world) {
    const Revision first = committed(world, "a", R"({"n":1})");
    const Revision b = committed(world, "b", R"({"n":2})");
    const Revision last = committed(world, "a", R"({"n":3})");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto all = page(world, *source, from(1));
    CHECK(all->rows().size() == 2);
    CHECK(left(world, *source) == std::map<std::string, Revision>{{"a", last}, {"b", b}});
    for (const engine::Row& row : all->rows())
        if (row.revision == last) CHECK(row.document == world.document(R"({"n":3})", last));
    CHECK(all->seen == only({first, b, last}));
    CHECK(all->complete);
    CHECK_FALSE(all->anchor);
}

template <class World>
void an_id_beyond_the_page_is_not_its_version(World& world) {
    const Revision first = committed(world, "a", R"({"n":1})");
    const Revision b = committed(world, "b");
    const Revision last = committed(world, "a", R"({"n":3})");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto cut = page(world, *source, from(1), false, 1);
    REQUIRE(entities_of(world, *cut) == Names{"a"});
    CHECK(cut->rows()[0].revision == first);
    CHECK(cut->rows()[0].document == world.document(R"({"n":3})", last));
    CHECK(cut->seen == only({first}));
    CHECK(cut->covered_through == first);
    CHECK_FALSE(cut->complete);
    const auto again = page(world, *source, only({first}));
    REQUIRE(again->rows().size() == 1);
    CHECK(again->rows()[0].revision == first);
    CHECK(again->complete);
    const auto rest = page(world, *source, from(first + 1));
    CHECK(rest->seen == only({b, last}));
}

template <class World>
void an_entity_that_is_gone_is_removed_and_one_without_document_is_invalid(World& world) {
    committed(world, "gone");
    const Revision removal = removed(world, "gone");
    const Revision bad = committed(world, "bad", "[1]");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto all = page(world, *source, from(1));
    REQUIRE(all->rows().size() == 2);
    for (const engine::Row& row : all->rows()) {
        CHECK(row.revision == (world.entity(row) == "gone" ? removal : bad));
        CHECK(row.action == (world.entity(row) == "gone" ? engine::Action::remove : engine::Action::invalid));
        if (world.entity(row) == "bad") CHECK(row.error == "invalid_body");
    }
}

template <class World>
void what_is_not_committed_is_not_seen(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    auto open = world.begin();
    const Revision late = open.put("late", "{}");
    const Revision early = committed(world, "early");
    CHECK(left(world, *source) == std::map<std::string, Revision>{{"early", early}});
    CHECK(entities_of(world, *table_page(world, *source, "")) == Names{"early"});
    open.commit();
    CHECK(left(world, *source) == std::map<std::string, Revision>{{"early", early}, {"late", late}});
}

template <class World>
void the_table_comes_in_pages_without_revisions(World& world) {
    for (const char* entity : {"a", "b", "c"})
        world.hold(entity, R"({"n":1})");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto two = table_page(world, *source, "", 2);
    REQUIRE(entities_of(world, *two) == Names{"a", "b"});
    CHECK(two->rows()[0].revision == 0);
    CHECK(two->rows()[0].action == engine::Action::index);
    CHECK(two->seen.empty());
    CHECK_FALSE(two->complete);
    committed(world, "c", R"({"n":2})");
    const auto rest = table_page(world, *source, two->table_through);
    REQUIRE(entities_of(world, *rest) == Names{"c"});
    CHECK(rest->rows()[0].document == world.document(R"({"n":2})", 0));
    CHECK(rest->complete);
    const auto nothing = table_page(world, *source, rest->table_through);
    CHECK(nothing->rows().empty());
    CHECK(nothing->complete);
}

template <class World>
void what_is_done_is_deleted_and_nothing_else(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    const Revision first = committed(world, "a");
    auto open = world.begin();
    const Revision late = open.put("late", "{}");
    const Revision last = committed(world, "b");
    const auto done = cleaned_up(world, *source, {.id = 0, .done = only({first, last})});
    CHECK(done.late == 0);
    open.commit();
    CHECK(left(world, *source) == std::map<std::string, Revision>{{"late", late}});
    cleaned_up(world, *source, {.id = 0, .done = only({first, last})});  // once more, after a lost answer
    CHECK(left(world, *source) == std::map<std::string, Revision>{{"late", late}});
}

template <class World>
void a_renewed_row_has_an_id_above_all_others(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    const Revision first = committed(world, "a");
    const Revision last = committed(world, "b");
    const auto done = cleaned_up(world, *source, {.id = 0, .renew = only({first}), .wants_end = true});
    CHECK(left(world, *source).at("a") > last);
    CHECK(done.end == left(world, *source).at("a"));
    CHECK(left(world, *source).at("b") == last);
    const Revision renewed = left(world, *source).at("a");
    cleaned_up(world, *source, {.id = 0, .renew = only({first})});
    CHECK(left(world, *source).at("a") == renewed);
}

template <class World>
void an_entity_can_be_given_a_row(World& world) {
    world.hold("held", "{}");
    const auto source = world.make_source();
    prepared(world, *source);
    const Revision last = committed(world, "a");
    const auto held = table_page(world, *source, "");
    engine::CleanUpRequest request;
    for (const engine::Row& row : held->rows())
        if (world.entity(row) == "held") request.entities.emplace_back(row.entity);
    request.wants_end = true;
    const auto done = cleaned_up(world, *source, request);
    CHECK(left(world, *source).at("held") > last);
    CHECK(done.end == left(world, *source).at("held"));
}

template <class World>
void late_rows_are_renewed_lowest_first(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    auto open = world.begin();
    for (const char* entity : {"u", "v", "w"})
        open.put(entity, "{}");
    const Revision known = committed(world, "known");
    const Revision done = committed(world, "done");
    const Revision above = committed(world, "above");
    open.commit();
    const auto clean_up = [&](std::uint32_t rows_max) {
        return cleaned_up(world, *source,
                          {.id = 0,
                           .done = only({done}),
                           .late_through = done,
                           .known = only({known}),
                           .rows_max = rows_max,
                           .wants_end = true});
    };
    const auto two = clean_up(2);
    CHECK(two.late == 2);
    CHECK(two.more_late);
    CHECK(two.end == std::max(left(world, *source).at("u"), left(world, *source).at("v")));
    CHECK(left(world, *source).at("v") > above);
    CHECK(left(world, *source).at("w") < known);
    const auto one = clean_up(2);
    CHECK(one.late == 1);
    CHECK_FALSE(one.more_late);
    CHECK(left(world, *source).at("w") > left(world, *source).at("v"));
    CHECK(left(world, *source).at("known") == known);
    CHECK(left(world, *source).at("above") == above);
    const auto none = clean_up(2);
    CHECK(none.late == 0);
    CHECK(none.end == left(world, *source).at("w"));
}

template <class World>
void a_version_is_known_when_it_was_handed_out(World& world) {
    const Revision a = committed(world, "a");
    auto open = world.begin();
    const Revision dead = open.put("a", "{}");
    open.roll_back();
    const Revision last = committed(world, "b");
    const auto source = world.make_source();
    prepared(world, *source);
    cleaned_up(world, *source, {.id = 0, .done = only({a, last})});
    const auto answer = source_contract::looked_up(world, *source, {},
                                                   {{"a", a}, {"a", dead}, {"a", last}, {"a", last + 1'000}});
    CHECK(answer.history_end >= last);
    CHECK(answer.versions == std::vector<bool>{true, true, true, false});
}

}  // namespace pawl::test::outbox_contract
