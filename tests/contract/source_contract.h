// What every engine::SourcePort keeps to, real or simulated: cases that a test program calls, each from a
// TEST_CASE of its own with a fresh world.
//
// World:
//   engine::Inbox& inbox();
//   engine::Event next();                              waits for an event that was posted to inbox()
//   std::unique_ptr<engine::SourcePort> make_source(); posts to inbox()
//   Transaction begin();
//   std::string entity(row);                           the name that put() was given
//   std::string document(body_json, revision);         what put() makes of a body; the simulation has its own
// Transaction:
//   Revision put(entity, body_json);                   inserts a row; its revision is taken now, as
//                                                      AUTO_INCREMENT does
//   Revision remove(entity);                           inserts a row that deletes
//   void commit(); void roll_back();
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/ports.h"

namespace pawl::test::source_contract {

using engine::IntervalSet;
using engine::Revision;

template <class World>
Revision committed(World& world, const std::string& entity, const std::string& body = "{}") {
    auto transaction = world.begin();
    const Revision revision = transaction.put(entity, body);
    transaction.commit();
    return revision;
}

template <class World>
Revision prepared(World& world, engine::SourcePort& source) {
    source.prepare();
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::SourceFailed>(&event)) FAIL(to_line(failed->error));
    return std::get<engine::SourceReady>(event).facts.history_end;
}

template <class World>
std::shared_ptr<const engine::Page> page(World& world, engine::SourcePort& source, IntervalSet revisions,
                                         bool latest = false, std::uint32_t rows_max = 1'000,
                                         std::uint64_t bytes_max = 1ULL << 20) {
    static engine::RequestId last_id = 0;
    engine::ReadRequest request;
    request.id = ++last_id;
    request.revisions = std::move(revisions);
    request.rows_max = rows_max;
    request.bytes_max = bytes_max;
    request.latest = latest;
    source.read(request);
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::ReadFailed>(&event)) FAIL(to_line(failed->error));
    CHECK(std::get<engine::PageRead>(event).id == request.id);
    return std::get<engine::PageRead>(event).page;
}

inline IntervalSet from(Revision first) {
    return IntervalSet({{first, journal::revision_max}});
}

template <class World>
std::vector<std::string> entities_of(World& world, const engine::Page& page) {
    std::vector<std::string> entities;
    for (const auto& row : page.rows())
        entities.push_back(world.entity(row));
    return entities;
}

template <class World>
engine::Proof proof(World& world, engine::SourcePort& source) {
    source.prove();
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::ProofFailed>(&event)) FAIL(to_line(failed->error));
    return std::get<engine::ProofAnswered>(event).proof;
}

template <class World>
engine::LookUpAnswer looked_up(World& world, engine::SourcePort& source, std::vector<Revision> anchors,
                               std::vector<engine::LookUpRequest::Version> versions = {}) {
    static engine::RequestId last_id = 5'000;
    source.look_up({++last_id, std::move(anchors), std::move(versions)});
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::LookUpFailed>(&event)) FAIL(to_line(failed->error));
    CHECK(std::get<engine::LookedUp>(event).id == last_id);
    return std::get<engine::LookedUp>(event).answer;
}

template <class World>
std::shared_ptr<const engine::Page> fill_page(World& world, engine::SourcePort& source, Revision first,
                                              Revision through, std::uint32_t rows_max = 1'000) {
    engine::ReadRequest request{.id = 77, .revisions = IntervalSet({{first, through}})};
    request.rows_max = rows_max;
    request.bytes_max = 1 << 20;
    request.fill = true;
    source.read(request);
    const engine::Event event = world.next();
    if (const auto* failed = std::get_if<engine::ReadFailed>(&event)) FAIL(to_line(failed->error));
    return std::get<engine::PageRead>(event).page;
}

using Names = std::vector<std::string>;

template <class World>
void the_end_of_the_history_is_known_at_start(World& world) {
    const auto source = world.make_source();
    CHECK(prepared(world, *source) == 0);
    const Revision revision = committed(world, "a");
    CHECK(prepared(world, *source) == revision);
}

template <class World>
void rows_come_in_rising_order_with_their_documents(World& world) {
    const Revision first = committed(world, "a", R"({"n":1})");
    const Revision second = committed(world, "b", R"({"n":2})");
    auto transaction = world.begin();
    const Revision third = transaction.remove("a");
    transaction.commit();
    const auto source = world.make_source();
    prepared(world, *source);
    const auto all = page(world, *source, from(1));
    REQUIRE(entities_of(world, *all) == Names{"a", "b", "a"});
    CHECK(all->rows()[0].revision == first);
    CHECK(all->rows()[1].revision == second);
    CHECK(all->rows()[1].document == world.document(R"({"n":2})", second));
    CHECK(all->rows()[2].revision == third);
    CHECK(all->rows()[2].action == engine::Action::remove);
    CHECK(all->rows()[2].document.empty());
    CHECK(all->complete);
    CHECK(all->covered_through == journal::revision_max);
    CHECK(all->seen == IntervalSet({{first, first}, {second, second}, {third, third}}));
}

template <class World>
void an_open_transaction_is_a_gap_that_a_late_commit_fills(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    auto late = world.begin();
    const Revision late_revision = late.put("late", "{}");
    const Revision early_revision = committed(world, "early");
    REQUIRE(early_revision > late_revision);
    const auto before = page(world, *source, from(1));
    CHECK(entities_of(world, *before) == Names{"early"});
    CHECK_FALSE(before->seen.contains(late_revision));
    CHECK(before->complete);
    late.commit();
    const auto after = page(world, *source, IntervalSet({{late_revision, late_revision}}));
    CHECK(entities_of(world, *after) == Names{"late"});
    CHECK(after->seen.contains(late_revision));
}

template <class World>
void a_rolled_back_row_is_never_seen(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    auto dead = world.begin();
    const Revision dead_revision = dead.put("dead", "{}");
    committed(world, "alive");
    dead.roll_back();
    const auto all = page(world, *source, from(1));
    CHECK(entities_of(world, *all) == Names{"alive"});
    CHECK_FALSE(all->seen.contains(dead_revision));
}

template <class World>
void a_cut_page_says_how_far_it_reaches(World& world) {
    const Revision first = committed(world, "a");
    const Revision second = committed(world, "b");
    committed(world, "c");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto two = page(world, *source, from(1), false, 2);
    CHECK(entities_of(world, *two) == Names{"a", "b"});
    CHECK(two->covered_through == second);
    CHECK_FALSE(two->complete);
    const auto one = page(world, *source, from(1), false, 1'000, 1);
    CHECK(entities_of(world, *one) == Names{"a"});
    CHECK(one->covered_through == first);
    const auto rest = page(world, *source, from(second + 1));
    CHECK(entities_of(world, *rest) == Names{"c"});
    CHECK(rest->complete);
}

template <class World>
void the_latest_row_of_an_entity_may_lie_beyond_what_was_asked_for(World& world) {
    const Revision old = committed(world, "a", R"({"n":1})");
    committed(world, "b");
    const Revision latest = committed(world, "a", R"({"n":2})");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto found = page(world, *source, IntervalSet({{old, old}}), true);
    REQUIRE(entities_of(world, *found) == Names{"a"});
    CHECK(found->rows()[0].revision == latest);
    CHECK(found->rows()[0].document == world.document(R"({"n":2})", latest));
    CHECK(found->seen == IntervalSet({{old, old}}));
    CHECK(found->complete);
}

template <class World>
void an_entity_is_its_bytes(World& world) {
    const Revision lower = committed(world, "abc");
    const Revision upper = committed(world, "ABC");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto found = page(world, *source, IntervalSet({{lower, lower}}), true);
    REQUIRE(entities_of(world, *found) == Names{"abc"});
    CHECK(found->rows()[0].revision == lower);
    CHECK(entities_of(world, *page(world, *source, IntervalSet({{upper, upper}}), true)) == Names{"ABC"});
}

template <class World>
void a_document_that_is_none_is_an_invalid_row(World& world) {
    committed(world, "a", "[1]");
    committed(world, "b", R"({"n":1})");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto all = page(world, *source, from(1));
    REQUIRE(entities_of(world, *all) == Names{"a", "b"});
    CHECK(all->rows()[0].action == engine::Action::invalid);
    CHECK(all->rows()[0].error == "invalid_body");
    CHECK_FALSE(all->rows()[0].document.empty());
    CHECK(all->rows()[1].action == engine::Action::index);
}

template <class World>
void reads_are_answered_in_the_order_they_were_asked(World& world) {
    committed(world, "a");
    const auto source = world.make_source();
    prepared(world, *source);
    for (engine::RequestId id = 1; id <= 5; ++id) {
        engine::ReadRequest request;
        request.id = 1'000 + id;
        request.revisions = from(1);
        request.rows_max = 10;
        request.bytes_max = 1'000;
        source->read(request);
    }
    for (engine::RequestId id = 1; id <= 5; ++id) {
        const engine::Event event = world.next();
        REQUIRE(std::holds_alternative<engine::PageRead>(event));
        CHECK(std::get<engine::PageRead>(event).id == 1'000 + id);
    }
}

template <class World>
void an_open_transaction_keeps_a_proof_from_being_given(World& world) {
    using Outcome = engine::Proof::Outcome;
    const auto source = world.make_source();
    prepared(world, *source);
    auto late = world.begin();
    late.put("late", "{}");
    const Revision early = committed(world, "early");
    const auto busy = proof(world, *source);
    CHECK(busy.outcome == Outcome::busy);
    CHECK(busy.through == 0);
    CHECK_FALSE(busy.reason.empty());
    late.commit();
    const auto proven = proof(world, *source);
    CHECK(proven.outcome == Outcome::proven);
    CHECK(proven.through == early);
}

template <class World>
void a_proof_reaches_to_the_highest_committed_revision(World& world) {
    using Outcome = engine::Proof::Outcome;
    const auto source = world.make_source();
    prepared(world, *source);
    CHECK(proof(world, *source).outcome == Outcome::proven);
    CHECK(proof(world, *source).through == 0);
    auto dead = world.begin();
    const Revision dead_revision = dead.put("dead", "{}");
    const Revision alive = committed(world, "alive");
    dead.roll_back();
    auto above = world.begin();
    above.put("above", "{}");
    above.roll_back();
    CHECK(proof(world, *source).through == alive);
    // Of what it covers, a later snapshot shows all that there will ever be.
    const auto all = page(world, *source, from(1));
    CHECK_FALSE(all->seen.contains(dead_revision));
    CHECK(all->seen.contains(alive));
}

template <class World>
void a_revision_that_is_handed_out_after_a_proof_is_not_covered(World& world) {
    const auto source = world.make_source();
    prepared(world, *source);
    committed(world, "early");
    auto idle = world.begin();  // it has no revision yet
    const auto proven = proof(world, *source);
    REQUIRE(proven.outcome == engine::Proof::Outcome::proven);
    CHECK(idle.put("late", "{}") > proven.through);
    CHECK(proof(world, *source).outcome == engine::Proof::Outcome::busy);
    idle.commit();
}

template <class World>
void a_rows_digest_stays_and_no_two_rows_have_the_same(World& world) {
    const Revision first = committed(world, "a", R"({"n":1})");
    const Revision second = committed(world, "a", R"({"n":1})");
    auto open = world.begin();
    const Revision unseen = open.put("a", "{}");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto answer = looked_up(world, *source, {second, unseen, first});
    CHECK(answer.history_end == second);
    REQUIRE(answer.anchors.size() == 3);
    REQUIRE(answer.anchors[0]);
    CHECK_FALSE(answer.anchors[1]);
    REQUIRE(answer.anchors[2]);
    CHECK(*answer.anchors[0] != *answer.anchors[2]);
    CHECK(looked_up(world, *source, {first}).anchors.front() == answer.anchors[2]);
    const auto all = page(world, *source, from(1));
    CHECK(all->anchor == journal::Anchor{second, *answer.anchors[0]});
    CHECK(all->shape == answer.shape);
    CHECK(page(world, *source, IntervalSet({{first, first}}), true)->anchor->revision == second);
    open.roll_back();
}

template <class World>
void a_row_can_be_looked_at_beside_those_that_are_read(World& world) {
    const Revision first = committed(world, "a");
    const Revision second = committed(world, "b");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto digest = looked_up(world, *source, {first}).anchors.front();
    const auto beside = [&](Revision revision, bool latest) {
        engine::ReadRequest request{
            .id = 78, .revisions = from(second), .rows_max = 10, .bytes_max = 1 << 20};
        request.latest = latest;
        request.beside = revision;
        source->read(request);
        const auto read = std::get<engine::PageRead>(world.next()).page;
        CHECK(entities_of(world, *read) == Names{"b"});
        CHECK(read->seen == IntervalSet({{second, second}}));
        return read->digest_beside;
    };
    CHECK(digest.has_value());
    CHECK(beside(first, false) == digest);
    CHECK(beside(first, true) == digest);
    CHECK_FALSE(beside(second + 1, false));
}

template <class World>
void a_version_is_known_when_it_is_a_row_of_that_entity(World& world) {
    const Revision a = committed(world, "a");
    const Revision upper = committed(world, "A");
    const auto source = world.make_source();
    prepared(world, *source);
    const auto as_id = [&](Revision revision) {
        const auto rows = page(world, *source, IntervalSet({{revision, revision}}));
        return std::string(rows->rows().front().entity);
    };
    const auto answer = looked_up(
        world, *source, {}, {{as_id(a), a}, {as_id(upper), upper}, {as_id(a), upper}, {as_id(a), 999'999}});
    CHECK(answer.versions == std::vector<bool>{true, true, false, false});
}

template <class World>
void a_fill_gives_each_entitys_latest_row_and_has_seen_all(World& world) {
    committed(world, "a");
    committed(world, "gone");
    const Revision b = committed(world, "b");
    auto transaction = world.begin();
    const Revision removal = transaction.remove("gone");
    const Revision last = transaction.put("a", R"({"n":2})");
    transaction.commit();
    const auto source = world.make_source();
    const Revision end = prepared(world, *source);
    CHECK(end == last);
    const auto all = fill_page(world, *source, 1, end);
    REQUIRE(entities_of(world, *all) == Names{"b", "gone", "a"});
    CHECK(all->rows()[0].revision == b);
    CHECK(all->rows()[1].revision == removal);
    CHECK(all->rows()[1].action == engine::Action::remove);
    CHECK(all->rows()[2].revision == last);
    CHECK(all->seen.count() == 5);
    CHECK(all->complete);
    CHECK(all->covered_through == end);
    CHECK(all->anchor->revision == last);

    // In small pages, and what commits meanwhile is not among them: it is above the last revision.
    const auto some = fill_page(world, *source, 1, end, 1);
    CHECK(entities_of(world, *some) == Names{"b"});
    CHECK(some->covered_through < last);
    CHECK_FALSE(some->complete);
    committed(world, "b");
    const auto rest = fill_page(world, *source, some->covered_through + 1, end, 1);
    CHECK(entities_of(world, *rest).size() <= 1);
    CHECK_FALSE(rest->seen.empty());
}

template <class World>
void a_fill_keeps_entities_apart_that_the_collation_takes_for_one(World& world) {
    committed(world, "abc");
    const Revision upper = committed(world, "ABC");
    const Revision lower = committed(world, "abc");
    const Revision blank = committed(world, "abc ");
    const auto source = world.make_source();
    const auto all = fill_page(world, *source, 1, prepared(world, *source));
    // More than these may come, since entities that are equal under the collation take turns in its index.
    std::map<std::string, Revision> latest;
    for (const auto& row : all->rows())
        latest[world.entity(row)] = row.revision;
    CHECK(latest == std::map<std::string, Revision>{{"ABC", upper}, {"abc", lower}, {"abc ", blank}});
}

}  // namespace pawl::test::source_contract
