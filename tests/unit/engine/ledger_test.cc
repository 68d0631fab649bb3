#include "engine/ledger.h"

#include <rapidcheck.h>

#include <algorithm>
#include <numeric>

#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "tests/unit/engine/rows.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

Ledger begun(Changes& changes, const journal::SourceIdentity& source = {}) {
    Ledger ledger("lex", std::nullopt);
    ledger.begin({.source = source, .target = {"alias", "index", "uuid"}, .at = 1}, changes);
    return ledger;
}

const journal::SourceIdentity outbox{journal::SourceMode::outbox, "karp", "changes"};

journal::BatchContent rows_of(const IntervalSet& seen) {
    return {.rows = static_cast<std::uint32_t>(seen.count()), .indexed = 1};
}

BatchId open(Ledger& ledger, const IntervalSet& seen, Changes& changes, std::size_t gaps_max = 100) {
    return ledger.open({seen, {}, {}, {}}, rows_of(seen), gaps_max, 2, changes);
}

IntervalSet gap(Revision first, Revision last) {
    return IntervalSet({Interval{first, last}});
}

BatchResult rejected(const std::string& entity, Revision revision) {
    BatchResult result;
    result.outcome.quarantined = 1;
    result.quarantined.push_back(entry_of(entity, revision, static_cast<TimeMs>(revision)));
    return result;
}

}  // namespace

TEST_CASE("one transaction deletes the rows of so many applied batches as may be, and always of one") {
    const auto run = [](Revision first, std::uint64_t rows) {
        return IntervalSet({Interval{first, first + rows - 1}});
    };
    constexpr std::uint64_t most = limits::clean_up_rows_max;
    Changes changes;
    Ledger ledger = begun(changes, outbox);
    const IntervalSet large = run(1, most + 1);
    const IntervalSet half = run(most + 2, most / 2);
    const IntervalSet other_half = run(2 * most, most / 2);
    const IntervalSet little = run(3 * most, 1);
    for (const IntervalSet& rows : {large, half, other_half, little})
        ledger.apply(open(ledger, rows, changes), {}, 3, changes);
    CHECK(ledger.rows_to_delete() == large);
    ledger.rows_deleted(large, 4, changes);
    IntervalSet both = half;
    both.insert(other_half);
    CHECK(ledger.rows_to_delete() == both);
    ledger.rows_deleted(both, 5, changes);
    CHECK(ledger.rows_to_delete() == little);
}

TEST_CASE("what an operator gives up goes in portions, and what is left of it is not late") {
    Changes changes;
    Ledger ledger = begun(changes, outbox);
    constexpr Revision many = limits::clean_up_rows_max + 5;
    BatchResult result;
    for (Revision revision = 1; revision <= many; ++revision)
        result.quarantined.push_back(entry_of("e" + std::to_string(revision), revision, 1));
    result.outcome.quarantined = many;
    ledger.apply(open(ledger, gap(1, many), changes), std::move(result), 2, changes);
    ledger.rows_deleted({}, 2, changes);
    ledger.drop_quarantine({}, changes);
    CHECK(ledger.rows_to_delete() == gap(1, limits::clean_up_rows_max));
    CHECK(ledger.rows_known() == gap(1, many));
    ledger.rows_deleted(gap(1, limits::clean_up_rows_max), 3, changes);
    CHECK(ledger.rows_to_delete() == gap(limits::clean_up_rows_max + 1, many));
    ledger.rows_deleted(ledger.rows_to_delete(), 4, changes);
    CHECK(ledger.rows_known().empty());
}

// An index that remembers less than has been deleted lacks it, and must not be taken up.
TEST_CASE("a retry from quarantine does not hold the watermark below rows that are deleted") {
    Changes changes;
    Ledger ledger = begun(changes, outbox);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 2, changes);
    ledger.rows_deleted({}, 2, changes);
    REQUIRE(ledger.pipeline().watermark == 1);
    const BatchId batch = open(ledger, revisions({2, 3}), changes);
    ledger.request_retry({}, changes);
    open(ledger, revisions({1}), changes);
    ledger.apply(batch, {}, 3, changes);
    ledger.rows_deleted(ledger.rows_to_delete(), 3, changes);
    CHECK(ledger.pipeline().watermark == 3);
    CHECK(ledger.deleted_at_most() == 3);
}

TEST_CASE("rows are deleted up to the highest of a committed batch, though one of them is tried again") {
    Changes changes;
    Ledger ledger = begun(changes, outbox);
    ledger.apply(open(ledger, revisions({2, 3}), changes), rejected("a", 2), 2, changes);
    ledger.request_retry({}, changes);
    const BatchId retry = open(ledger, revisions({2}), changes);
    CHECK(ledger.rows_to_delete() == revisions({3}));
    ledger.rows_deleted(revisions({3}), 3, changes);
    CHECK(ledger.pipeline().watermark == 3);
    CHECK(ledger.deleted_at_most() == 3);
    CHECK(ledger.rows_in_use() == revisions({2}));
    BatchResult taken;
    taken.released = {"a"};
    ledger.apply(retry, std::move(taken), 4, changes);
    CHECK(ledger.rows_to_delete() == revisions({2}));
    CHECK(ledger.rows_in_use().empty());  // it may be deleted by now
    CHECK(ledger.rows_known() == revisions({2}));
}

TEST_CASE("rows that are back in quarantine hold up no other rows' deletion") {
    Changes changes;
    Ledger ledger = begun(changes, outbox);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 2, changes);
    ledger.rows_deleted({}, 2, changes);
    ledger.request_retry({}, changes);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 3, changes);
    const IntervalSet many({Interval{2, 1 + limits::clean_up_rows_max}});
    ledger.apply(open(ledger, many, changes), {}, 4, changes);
    CHECK(ledger.rows_to_delete() == many);
}

TEST_CASE("what the reader leaves out below high becomes a gap and holds the watermark, not the newer rows") {
    Changes changes;
    Ledger ledger = begun(changes);
    const BatchId batch = open(ledger, revisions({1, 2, 5, 6}), changes);
    CHECK(ledger.gaps() == revisions({3, 4}));
    CHECK(ledger.pipeline().high == 6);
    ledger.apply(batch, {}, 3, changes);
    CHECK(ledger.pipeline().watermark == 2);

    const BatchId late = open(ledger, revisions({3}), changes);
    CHECK(ledger.gaps() == revisions({4}));
    CHECK(ledger.pipeline().watermark == 2);
    ledger.apply(late, {}, 4, changes);
    CHECK(ledger.pipeline().watermark == 3);
}

TEST_CASE("gaps beyond the limit are merged and still hold the watermark") {
    Changes changes;
    Ledger ledger = begun(changes);
    const BatchId batch = open(ledger, revisions({1, 3, 5, 20}), changes, 2);
    CHECK(ledger.gaps().intervals().size() == 2);
    for (const Revision gap : {2, 4, 6, 19})
        CHECK(ledger.gaps().contains(gap));
    ledger.apply(batch, {}, 3, changes);
    CHECK(ledger.pipeline().watermark == 1);
}

TEST_CASE("APPLIED and COMMITTED come together for the prefix, and a later batch waits for the former") {
    Changes changes;
    Ledger ledger = begun(changes);
    const BatchId first = open(ledger, revisions({1, 2}), changes);
    const BatchId second = open(ledger, revisions({3, 4}), changes);
    changes.clear();
    ledger.apply(second, {}, 3, changes);
    REQUIRE(changes.size() == 1);
    CHECK(std::holds_alternative<journal::ApplyBatch>(changes.front()));
    CHECK(ledger.pipeline().watermark == 0);
    changes.clear();
    ledger.apply(first, {}, 4, changes);
    REQUIRE(changes.size() == 2);
    const auto& commit = std::get<journal::CommitBatches>(changes.back());
    CHECK(commit.batches == std::vector<BatchId>{first, second});
    CHECK(commit.watermark == 4);
    CHECK(ledger.open_batches().empty());
}

TEST_CASE("over any completion order the watermark is the committed prefix, and ends at high") {
    REQUIRE(rc::check([] {
        const auto sizes = *rc::gen::container<std::vector<int>>(8, rc::gen::inRange(1, 4));
        auto order = std::vector<std::size_t>(sizes.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        for (std::size_t i = order.size(); i > 1; --i)
            std::swap(order[i - 1], order[*rc::gen::inRange<std::size_t>(0, i)]);

        Changes changes;
        Ledger ledger = begun(changes);
        std::vector<BatchId> ids;
        std::vector<Revision> ends;
        Revision next = 1;
        for (const int size : sizes) {
            IntervalSet seen;
            for (int i = 0; i < size; ++i)
                seen.insert(next++);
            ids.push_back(open(ledger, seen, changes));
            ends.push_back(next - 1);
        }
        std::vector<bool> applied(ids.size(), false);
        for (const std::size_t place : order) {
            ledger.apply(ids[place], {}, 3, changes);
            applied[place] = true;
            Revision expected = 0;
            for (std::size_t i = 0; i < ids.size() && applied[i]; ++i)
                expected = ends[i];
            RC_ASSERT(ledger.pipeline().watermark == expected);
        }
        RC_ASSERT(ledger.pipeline().watermark == ledger.pipeline().high);
    }));
}

TEST_CASE("a rejected entity counts its attempts and keeps since when it is in quarantine") {
    Changes changes;
    Ledger ledger = begun(changes);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 3, changes);
    ledger.apply(open(ledger, revisions({2}), changes), rejected("a", 2), 4, changes);
    const auto& entry = ledger.quarantine().at("a");
    CHECK(entry.revision == 2);
    CHECK(entry.attempts == 2);
    CHECK(entry.since == 1);
}

TEST_CASE("an older rejected row does not replace a newer one in quarantine") {
    Changes changes;
    Ledger ledger = begun(changes);
    const BatchId older = open(ledger, revisions({1}), changes);
    ledger.apply(open(ledger, revisions({2}), changes), rejected("a", 2), 3, changes);
    changes.clear();
    ledger.apply(older, rejected("a", 1), 4, changes);
    CHECK(ledger.quarantine().at("a").revision == 2);
    CHECK(std::get<journal::ApplyBatch>(changes.front()).quarantined.empty());
}

TEST_CASE("a retry from quarantine opens old revisions and leaves the watermark where it is") {
    Changes changes;
    Ledger ledger = begun(changes);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 3, changes);
    ledger.apply(open(ledger, revisions({2, 3}), changes), {}, 3, changes);
    CHECK(ledger.pipeline().watermark == 3);
    const BatchId retry = open(ledger, revisions({1}), changes);
    CHECK(ledger.pipeline().watermark == 3);
    BatchResult taken;
    taken.released.emplace_back("a");
    ledger.apply(retry, taken, 4, changes);
    CHECK(ledger.quarantine().empty());
    CHECK(ledger.pipeline().watermark == 3);
}

TEST_CASE("a retry that has begun is not asked for again, one that came later is") {
    Changes changes;
    Ledger ledger = begun(changes);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 3, changes);
    ledger.apply(open(ledger, revisions({2}), changes), rejected("b", 2), 3, changes);
    ledger.request_retry({}, changes);
    ledger.retries_begun(revisions({2}));
    CHECK(ledger.quarantine().at("a").retry_requested);
    CHECK_FALSE(ledger.quarantine().at("b").retry_requested);
    ledger.request_retry({"b", "unknown"}, changes);
    CHECK(ledger.quarantine().at("b").retry_requested);
}

TEST_CASE("beginning again forgets open batches and gaps, keeps the quarantine, and never uses an id twice") {
    Changes changes;
    Ledger ledger = begun(changes);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 3, changes);
    const BatchId before = open(ledger, revisions({5}), changes);
    ledger.begin({.target = {"alias", "other", "uuid2"}, .at = 4}, changes);
    CHECK(ledger.open_batches().empty());
    CHECK(ledger.gaps().empty());
    CHECK(ledger.pipeline().high == 0);
    CHECK(ledger.pipeline().watermark == 0);
    CHECK(ledger.quarantine().contains("a"));
    CHECK(open(ledger, revisions({1}), changes) == before + 1);
}

TEST_CASE("a condition is written once, also for a pipeline of which the journal knows nothing else") {
    Changes changes;
    Ledger ledger("lex", std::nullopt);
    ledger.set_condition(journal::Condition::retrying, "x", 1, changes);
    CHECK_FALSE(ledger.known());
    ledger.set_condition(journal::Condition::retrying, "x", 1, changes);
    ledger.set_condition(journal::Condition::retrying, "x", 2, changes);
    CHECK(changes.size() == 1);
}

TEST_CASE("a ledger takes up what the journal left: APPLIED is committed, INTENT stays open") {
    journal::PipelineSnapshot snapshot;
    snapshot.pipeline.name = "lex";
    snapshot.pipeline.last_batch = 3;
    snapshot.pipeline.high = 3;
    for (BatchId id = 1; id <= 3; ++id)
        snapshot.batches.push_back(batch_of(
            id, revisions({id}), id == 2 ? journal::BatchState::intent : journal::BatchState::applied));
    Ledger ledger("lex", snapshot);
    CHECK(ledger.open_batches().size() == 3);
    Changes changes;
    ledger.commit_prefix(9, changes);
    CHECK(std::get<journal::CommitBatches>(changes.front()).batches == std::vector<BatchId>{1});
    CHECK(ledger.pipeline().watermark == 1);
    ledger.apply(2, {}, 9, changes);
    CHECK(ledger.pipeline().watermark == 3);
}

TEST_CASE("a pipeline may begin above 0 and owe revisions below") {
    Changes changes;
    Ledger ledger("lex", std::nullopt);
    journal::BeginPipeline change{.target = {"alias", "index", "uuid"}, .high = 9, .gaps = revisions({4, 7})};
    change.checkpoint = journal::Checkpoint{9, 5};
    ledger.begin(change, changes);
    CHECK(ledger.gaps() == revisions({4, 7}));
    CHECK(ledger.pipeline().watermark == 3);
    CHECK(ledger.pipeline().checkpoint->revision == 9);
    CHECK(std::get<journal::BeginPipeline>(changes.front()).pipeline == "lex");
}

TEST_CASE("the newest anchor is that of the newest row; one stays behind for each checkpoint") {
    Changes changes;
    Ledger ledger = begun(changes);
    const auto open_with = [&](Revision revision, journal::Anchor anchor) {
        (void)ledger.open({revisions({revision}), {}, anchor}, {.rows = 1}, 100, 2, changes);
        return std::get<journal::OpenBatch>(changes.back()).anchor;
    };
    CHECK(open_with(1, {1, 10}));
    CHECK(open_with(2, {2, 20}));
    CHECK(ledger.pipeline().anchors == std::vector<journal::Anchor>{{2, 20}});
    ledger.record_checkpoint({2, 5}, changes);
    CHECK(open_with(3, {3, 30}));
    CHECK(ledger.pipeline().anchors == std::vector<journal::Anchor>{{2, 20}, {3, 30}});
    CHECK_FALSE(open_with(4, {3, 31}));  // no newer row
    CHECK(open_with(5, {9, 90}));        // a latest row that went ahead of its turn
}

TEST_CASE("dead revisions above high never become gaps") {
    Changes changes;
    Ledger ledger = begun(changes);
    (void)ledger.open({revisions({1, 9}), gap(2, 5), {}}, {.rows = 2}, 100, 2, changes);
    CHECK(ledger.gaps() == gap(6, 8));
}

TEST_CASE("dead revisions leave the gaps and the watermark follows, as far as nothing else is owed") {
    Changes changes;
    Ledger ledger = begun(changes);
    const BatchId first = open(ledger, revisions({1, 5}), changes);
    ledger.apply(first, {}, 3, changes);
    const BatchId second = open(ledger, revisions({8}), changes);
    changes.clear();
    CHECK(ledger.close_gaps(gap(2, 3), {}, changes) == 0);
    CHECK(ledger.gaps() == IntervalSet({Interval{4, 4}, Interval{6, 7}}));
    CHECK(ledger.pipeline().watermark == 3);
    REQUIRE(changes.size() == 1);
    CHECK(std::get<journal::CloseGaps>(changes[0]).watermark == 3);
    CHECK(ledger.close_gaps(gap(4, 8), {}, changes) == 0);
    CHECK(ledger.pipeline().watermark == 7);  // below the open batch
    ledger.apply(second, {}, 4, changes);
    CHECK(ledger.pipeline().watermark == 8);
}

TEST_CASE("what is dead already changes nothing") {
    Changes changes;
    Ledger ledger = begun(changes);
    CHECK(ledger.close_gaps(gap(1, 9), {}, changes) == 0);
    ledger.apply(open(ledger, revisions({1, 5}), changes), {}, 3, changes);
    changes.clear();
    CHECK(ledger.close_gaps({}, {}, changes) == 0);
    CHECK(ledger.close_gaps(gap(5, 9), {}, changes) == 0);
    CHECK(changes.empty());
}

TEST_CASE("what is given up without proof is counted, and only what was a gap") {
    Changes changes;
    Ledger ledger = begun(changes);
    ledger.apply(open(ledger, revisions({1, 5, 9}), changes), {}, 3, changes);
    CHECK(ledger.close_gaps(gap(2, 7), gap(4, 7), changes) == 3);  // 4, 6 and 7
    CHECK(ledger.pipeline().gaps_unproven == 3);
    CHECK(ledger.gaps() == gap(8, 8));
}

TEST_CASE("entities that are given up leave quarantine, they alone, and the journal hears of it") {
    Changes changes;
    Ledger ledger = begun(changes);
    ledger.apply(open(ledger, revisions({1}), changes), rejected("a", 1), 3, changes);
    ledger.apply(open(ledger, revisions({2}), changes), rejected("b", 2), 3, changes);
    changes.clear();
    ledger.drop_quarantine({"a"}, changes);
    CHECK_FALSE(ledger.quarantine().contains("a"));
    CHECK(ledger.quarantine().contains("b"));
    REQUIRE(changes.size() == 1);
    CHECK(std::holds_alternative<journal::DropQuarantine>(changes.front()));
    ledger.drop_quarantine({}, changes);
    CHECK(ledger.quarantine().empty());
}

TEST_CASE("nothing is asked of a quarantine that the journal does not know") {
    Changes changes;
    Ledger unknown("lex", std::nullopt);
    unknown.request_retry({}, changes);
    unknown.drop_quarantine({}, changes);
    CHECK(changes.empty());
}
