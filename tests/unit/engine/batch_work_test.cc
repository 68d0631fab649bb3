#include "engine/batch_work.h"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "tests/unit/engine/rows.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

using Quarantine = std::map<std::string, journal::QuarantineEntry, std::less<>>;
const Quarantine nobody;

BatchWork loaded(const std::vector<Row>& rows) {
    IntervalSet seen;
    for (const Row& row : rows)
        seen.insert(row.revision);
    BatchWork work("lex", seen);
    const auto page = page_of(rows);
    work.load(page, coalesce(page->rows()), 1);
    return work;
}

std::vector<Row> rows_1_to(Revision last) {
    static const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h"};
    std::vector<Row> rows;
    for (Revision revision = 1; revision <= last; ++revision)
        rows.push_back(index_row(revision, names.at(revision - 1)));
    return rows;
}

std::vector<Revision> sent(const BatchWork& work, const Part& part) {
    return revisions_of(work.request_of(part, 1).actions);
}

ItemResult item(ItemStatus status) {
    return {status, "an_error", "a reason", {}};
}

std::vector<ItemResult> all(ItemStatus status, const Part& part) {
    return std::vector<ItemResult>(part.size(), item(status));
}

}  // namespace

TEST_CASE("a batch is sent in parts of at most so many actions, all of them once") {
    BatchWork work = loaded(rows_1_to(5));
    const Part first = work.take(2);
    const Part second = work.take(2);
    const Part third = work.take(2);
    CHECK(sent(work, first) == std::vector<Revision>{1, 2});
    CHECK(sent(work, second) == std::vector<Revision>{3, 4});
    CHECK(sent(work, third) == std::vector<Revision>{5});
    CHECK_FALSE(work.can_send());
    for (const Part& part : {second, third, first}) {
        CHECK_FALSE(work.acknowledged());
        CHECK(work.settle(part, all(ItemStatus::done, part), 2).unsettled == nullptr);
    }
    CHECK(work.acknowledged());
    CHECK(work.result(nobody).outcome.done == 5);
}

TEST_CASE("a part that got no answer is sent again before anything else") {
    BatchWork work = loaded(rows_1_to(4));
    const Part part = work.take(2);
    work.put_back(part);
    CHECK(sent(work, work.take(9)) == std::vector<Revision>{1, 2});
    CHECK(sent(work, work.take(9)) == std::vector<Revision>{3, 4});
}

TEST_CASE("a part is halved down to the guilty action, which alone is rejected") {
    BatchWork work = loaded(rows_1_to(5));
    int requests = 0;
    while (!work.acknowledged()) {
        const Part part = work.take(9);
        ++requests;
        const auto revisions = sent(work, part);
        const bool guilty = std::find(revisions.begin(), revisions.end(), 4U) != revisions.end();
        if (!guilty)
            work.settle(part, all(ItemStatus::done, part), 2);
        else if (part.size() > 1)
            work.split(part);
        else
            work.reject(part, item(ItemStatus::rejected), 2);
    }
    CHECK(requests == 7);
    const BatchResult result = work.result(nobody);
    CHECK(result.outcome.done == 4);
    REQUIRE(result.quarantined.size() == 1);
    CHECK(result.quarantined.front().revision == 4);
    CHECK(result.quarantined.front().entity == "d");
}

TEST_CASE("of a part's items only the unsettled ones are sent again, and the first of them is told") {
    BatchWork work = loaded(rows_1_to(5));
    const Part part = work.take(9);
    const std::vector<ItemResult> items{item(ItemStatus::done), item(ItemStatus::retry),
                                        item(ItemStatus::superseded), item(ItemStatus::forbidden),
                                        item(ItemStatus::rejected)};
    const ItemResult* const unsettled = work.settle(part, items, 2).unsettled;
    REQUIRE(unsettled == &items[1]);
    const Part again = work.take(9);
    CHECK(sent(work, again) == std::vector<Revision>{2, 4});
    CHECK(work.settle(again, all(ItemStatus::done, again), 3).unsettled == nullptr);
    const auto outcome = work.result(nobody).outcome;
    CHECK(outcome.done == 3);
    CHECK(outcome.superseded == 1);
    CHECK(outcome.quarantined == 1);
}

TEST_CASE("invalid rows go to quarantine unsent, also when there is nothing else") {
    const BatchWork work = loaded({invalid_row(1, "a"), invalid_row(2, "b")});
    CHECK_FALSE(work.can_send());
    CHECK(work.acknowledged());
    const auto result = work.result(nobody);
    CHECK(result.outcome.quarantined == 2);
    CHECK(result.quarantined.front().error == "invalid_body");
    CHECK(result.quarantined.front().reason == "it makes no document");
}

TEST_CASE("a replay comes in portions, each of which owes less") {
    BatchWork work("lex", revisions({1, 2, 5, 6}));
    CHECK(work.needs_rows());
    const auto first = part_of({index_row(1, "a"), index_row(9, "b")}, 2);
    work.load(first, coalesce(first->rows()), 1);
    CHECK_FALSE(work.needs_rows());
    Part part = work.take(9);
    work.settle(part, all(ItemStatus::done, part), 2);
    CHECK(work.needs_rows());
    CHECK_FALSE(work.acknowledged());
    CHECK(work.owed() == revisions({5, 6}));

    const auto second = page_of({index_row(5, "c"), index_row(6, "d")});
    work.load(second, coalesce(second->rows()), 3);
    part = work.take(9);
    work.settle(part, all(ItemStatus::done, part), 4);
    CHECK(work.acknowledged());
    CHECK_FALSE(work.needs_rows());
    CHECK(work.result(nobody).outcome.done == 4);
    CHECK(work.has_newer("b", 8));  // of the first portion
    CHECK_FALSE(work.has_newer("b", 9));
}

TEST_CASE("a portion that finds no rows is done at once") {
    BatchWork work("lex", revisions({1, 2}));
    work.load(page_of({}), {}, 1);
    CHECK(work.acknowledged());
    CHECK_FALSE(work.needs_rows());
}

TEST_CASE("an entity that one portion rejects and a later one sends anew is not left in quarantine") {
    BatchWork work("lex", revisions({1, 2}));
    const auto first = part_of({index_row(1, "a")}, 1);
    work.load(first, coalesce(first->rows()), 1);
    Part part = work.take(9);
    work.settle(part, all(ItemStatus::rejected, part), 2);
    const auto second = page_of({index_row(7, "a")});
    work.load(second, coalesce(second->rows()), 3);
    part = work.take(9);
    work.settle(part, all(ItemStatus::done, part), 4);
    CHECK(work.result(nobody).quarantined.empty());
    const Quarantine before{{"a", entry_of("a", 1)}};
    CHECK(work.result(before).released == std::vector<std::string>{"a"});
}

TEST_CASE("an entity that one portion sends and a later one finds rejected stays in quarantine, once") {
    BatchWork work("lex", revisions({1, 2, 3}));
    for (const Revision revision : {5, 7, 7}) {
        const auto page = part_of({index_row(revision, "a")}, work.owed().lowest());
        work.load(page, coalesce(page->rows()), 1);
        const Part part = work.take(9);
        work.settle(part, all(revision == 5 ? ItemStatus::done : ItemStatus::rejected, part), 2);
    }
    const Quarantine before{{"a", entry_of("a", 1)}};
    const BatchResult result = work.result(before);
    CHECK(result.released.empty());
    REQUIRE(result.quarantined.size() == 1);
    CHECK(result.quarantined.front().revision == 7);
}

TEST_CASE("stale rows are owed again, but what the index has taken is not sent again") {
    BatchWork work = loaded(rows_1_to(3));
    const Part part = work.take(2);
    const std::vector<ItemResult> items{item(ItemStatus::done), item(ItemStatus::rejected)};
    work.settle(part, items, 2);
    work.drop_rows();
    CHECK(work.needs_rows());
    CHECK_FALSE(work.can_send());
    CHECK(work.owed() == revisions({1, 2, 3}));
    const auto fresh = page_of(rows_1_to(3));
    work.load(fresh, coalesce(fresh->rows()), 3);
    const Part rest = work.take(9);
    CHECK(sent(work, rest) == std::vector<Revision>{2, 3});
    work.settle(rest, all(ItemStatus::done, rest), 4);
    const auto result = work.result(nobody);
    CHECK(result.outcome.done == 3);
    CHECK(result.outcome.quarantined == 0);
    CHECK(result.quarantined.empty());
}

TEST_CASE("a row that became newer while a batch was stale is sent, and its entity counts once") {
    BatchWork work = loaded(rows_1_to(2));
    for (Revision newer = 11; newer < 16; ++newer) {  // as often as it grows stale
        const Part part = work.take(1);
        work.settle(part, all(ItemStatus::done, part), 2);
        work.drop_rows();
        const auto fresh = page_of({index_row(2, "b"), index_row(newer, "a")});
        work.load(fresh, coalesce(fresh->rows()), 3);
        if (newer == 11) continue;
        CHECK(sent(work, work.take(9)) == std::vector<Revision>{newer});  // b went in the round before
        break;
    }
}

TEST_CASE(
    "a stale batch of which the index has taken everything is acknowledged as soon as it is read again") {
    BatchWork work = loaded(rows_1_to(2));
    Part part = work.take(1);
    work.settle(part, all(ItemStatus::done, part), 2);
    part = work.take(1);
    work.put_back(part);
    work.drop_rows();
    const auto fresh = page_of({index_row(1, "a")});
    work.load(fresh, coalesce(fresh->rows()), 3);
    CHECK(work.acknowledged());
    CHECK(work.result(nobody).outcome.done == 1);
}

// Somebody's version has come after this batch's row was taken, and has beaten the same row in a later batch.
TEST_CASE("an entity leaves quarantine of a foreign version for a newer row, or one that was read later") {
    const auto releases = [](Revision revision, TimeMs read_at) {
        BatchWork work("lex", revisions({revision}));
        const auto page = page_of({index_row(revision, "a")}, read_at);
        work.load(page, coalesce(page->rows()), read_at);
        const Part part = work.take(9);
        work.settle(part, all(ItemStatus::done, part), read_at);
        Quarantine before{{"a", entry_of("a", 4, 100)}};
        before.at("a").error = "foreign_version";
        return !work.result(before).released.empty();
    };
    CHECK_FALSE(releases(4, 99));
    CHECK(releases(4, 100));
    CHECK(releases(5, 99));
}

TEST_CASE("an entity leaves quarantine for a row at least as new as the rejected one, and for no older") {
    BatchWork work = loaded({index_row(4, "a"), index_row(5, "b"), remove_row(6, "c")});
    const Part part = work.take(9);
    const std::vector<ItemResult> items{item(ItemStatus::done), item(ItemStatus::done),
                                        item(ItemStatus::superseded)};
    work.settle(part, items, 2);
    const Quarantine before{{"a", entry_of("a", 4)}, {"b", entry_of("b", 6)}, {"c", entry_of("c", 2)}};
    CHECK(work.result(before).released == std::vector<std::string>{"a", "c"});
}

TEST_CASE("of several rejections of an entity the newest row's is kept, in whatever order they came") {
    BatchWork work("lex", revisions({1, 2, 3}));
    for (const Revision revision : {5, 7, 6}) {
        const auto page = part_of({index_row(revision, "a")}, work.owed().lowest());
        work.load(page, coalesce(page->rows()), 1);
        const Part part = work.take(9);
        work.settle(part, all(ItemStatus::rejected, part), 2);
    }
    const BatchResult result = work.result(nobody);
    REQUIRE(result.quarantined.size() == 1);
    CHECK(result.quarantined.front().revision == 7);
}
