#include "engine/runner.h"

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

struct Disk final : JournalPort {
    Result<void> commit(std::span<const journal::Change> changes) override {
        if (full) return fail(ErrorKind::storage, "the disk is full", "make room");
        commits.emplace_back(changes.begin(), changes.end());
        if (stalls) stalls();
        return {};
    }
    bool full = false;
    std::function<void()> stalls;
    std::vector<std::vector<journal::Change>> commits;
};

struct Source final : SourcePort {
    void prepare() override { ++prepared; }
    void read(ReadRequest request) override { reads.push_back(std::move(request)); }
    void prove() override { ++proofs; }
    void clean_up(CleanUpRequest request) override { clean_ups.push_back(std::move(request)); }
    void look_up(LookUpRequest request) override { look_ups.push_back(std::move(request)); }
    int prepared = 0;
    int proofs = 0;
    std::vector<ReadRequest> reads;
    std::vector<CleanUpRequest> clean_ups;
    std::vector<LookUpRequest> look_ups;
};

struct Index final : IndexPort {
    void prepare() override { ++prepared; }
    void send(BulkRequest request) override { sends.push_back(std::move(request)); }
    void remember(Remembered, const std::string&) override { ++told; }
    int told = 0;
    int prepared = 0;
    std::vector<BulkRequest> sends;
};

struct Leases final : LeasePort {
    void ask() override { ++asked; }
    void give_back() override { ++given_back; }
    int asked = 0;
    int given_back = 0;
};

struct Ears final : Observer {
    void notice(const std::string&, const Notice& notice) override { heard.push_back(notice.text); }
    void recovered(const std::string&, const ReportRecovery&) override { ++recoveries; }
    void finished(const std::string& pipeline, const Finish&) override { ended.push_back(pipeline); }
    std::vector<std::string> heard;
    int recoveries = 0;
    std::vector<std::string> ended;
};

struct Highest final : Random {
    std::uint64_t below(std::uint64_t bound) override { return bound - 1; }
};

// Two pipelines on one runner.
struct Two {
    Two() {
        for (std::size_t number = 0; number < 2; ++number) {
            PipelineSettings settings = settings_for();
            settings.name = number == 0 ? "lex" : "other";
            runner.add(Pipeline(settings, std::nullopt), sources[number], indices[number], leases[number]);
        }
    }
    std::vector<Happened> both(const Event& event) const { return {{0, event}, {1, event}}; }
    void begin() {
        REQUIRE(runner.handle(both(Begin{})));
        REQUIRE(runner.handle(both(LeaseAnswered{{Lease::Outcome::won, now, {}}})));
        REQUIRE(runner.handle(both(SourceReady{})));
        REQUIRE(runner.handle(both(TargetReady{facts_of("uuid", true)})));
        for (const Source& source : sources)
            REQUIRE(source.look_ups.size() == 1);
        REQUIRE(runner.handle(both(LookedUp{})));
        REQUIRE(runner.handle(both(CheckpointWritten{})));
        disk.commits.erase(disk.commits.begin() + 1, disk.commits.end());  // that it was told
        for (const Source& source : sources)
            CHECK(source.proofs == 1);
        REQUIRE(runner.handle(both(ProofAnswered{})));
    }
    Result<void> pages() {
        std::vector<Happened> events;
        for (std::size_t number = 0; number < 2; ++number)
            events.push_back(
                {number, PageRead{sources[number].reads.back().id, page_of({index_row(1, "a")}, now)}});
        return runner.handle(std::move(events));
    }

    TimeMs now = 1'000'000;
    Disk disk;
    Ears ears;
    Highest random;
    Source sources[2];
    Index indices[2];
    Leases leases[2];
    Runner runner{disk, ears, random, [this] { return now; }};
};

}  // namespace

TEST_CASE("the changes of several pipelines in one round share a transaction") {
    Two two;
    two.begin();
    CHECK(two.ears.recoveries == 2);
    REQUIRE(two.disk.commits.size() == 1);
    CHECK(two.disk.commits.front().size() == 2);
    REQUIRE(two.pages());
    REQUIRE(two.disk.commits.size() == 2);
    CHECK(two.disk.commits.back().size() == 2);
    for (const Index& index : two.indices)
        CHECK(index.sends.size() == 1);
}

TEST_CASE("a journal that fails ends it: nothing is sent") {
    Two two;
    two.begin();
    two.disk.full = true;
    const auto handled = two.pages();
    REQUIRE_FALSE(handled);
    CHECK(handled.error().kind == ErrorKind::storage);
    for (const Index& index : two.indices)
        CHECK(index.sends.empty());
}

TEST_CASE("what a slow disk has held up is not sent on a confirmation that grew too old meanwhile") {
    Two two;
    two.begin();
    two.disk.stalls = [&] { two.now += limits::lease_valid_ms; };
    REQUIRE(two.pages());
    CHECK(two.disk.commits.size() == 2);
    for (const Index& index : two.indices)
        CHECK(index.sends.empty());
    REQUIRE(two.runner.handle(two.both(LeaseAnswered{{Lease::Outcome::held, two.now, {}}})));
    for (const Index& index : two.indices)
        CHECK(index.sends.size() == 1);
}

TEST_CASE("a timer fires once, when it is due, after a delay that chance chose within its range") {
    Two two;
    two.begin();
    CHECK(two.runner.next_due() == two.now + limits::lease_renew_ms);  // the only one that always runs
    REQUIRE(two.pages());
    CHECK(two.runner.next_due() == two.now + Limits{}.poll_interval_ms);
    const std::size_t reads = two.sources[0].reads.size();
    const TimeMs began = std::exchange(two.now, two.now + Limits{}.poll_interval_ms - 1);
    REQUIRE(two.runner.handle({}));
    CHECK(two.sources[0].reads.size() == reads);
    ++two.now;
    REQUIRE(two.runner.handle({}));
    CHECK(two.sources[0].reads.size() == reads + 1);
    CHECK(two.runner.next_due() == began + limits::lease_renew_ms);
}

TEST_CASE("a timer that was due does not cut short the one that a failure in the same round sets") {
    Two two;
    two.begin();
    REQUIRE(two.pages());
    const auto fails = [&](RequestId id) {
        return Happened{0, BulkFailed{id, {ErrorKind::unavailable, "down", "wait"}}};
    };
    const auto first = two.indices[0].sends.back().id;
    REQUIRE(two.runner.handle({fails(first)}));
    two.now += Limits{}.retry_delay_min_ms;
    REQUIRE(two.runner.handle({}));
    const auto second = two.indices[0].sends.back().id;
    REQUIRE(second != first);
    REQUIRE(two.runner.handle({fails(second)}));
    const std::size_t sends = two.indices[0].sends.size();
    ++two.now;
    REQUIRE(two.runner.handle({}));
    CHECK(two.indices[0].sends.size() == sends);
}

TEST_CASE("a runner has finished when all its pipelines have, and its timers are gone") {
    Two two;
    two.begin();
    REQUIRE(two.pages());
    REQUIRE(two.runner.handle({{0, StopAsked{}}}));
    CHECK(two.ears.ended.empty());  // a request is in flight
    REQUIRE(two.runner.handle({{0, BulkAnswered{two.indices[0].sends.back().id, {ItemResult{}}}}}));
    CHECK(two.ears.ended.empty());  // the index is being told
    CHECK(two.indices[0].told == 2);
    REQUIRE(two.runner.handle({{0, CheckpointWritten{}}}));
    CHECK(two.ears.ended == std::vector<std::string>{"lex"});
    CHECK(two.leases[0].given_back == 1);
    CHECK(two.leases[1].given_back == 0);
    CHECK_FALSE(two.runner.finished());
    REQUIRE(two.runner.handle({{1, StopAsked{}}}));
    REQUIRE(two.runner.handle({{1, BulkAnswered{two.indices[1].sends.back().id, {ItemResult{}}}}}));
    REQUIRE(two.runner.handle({{1, CheckpointWritten{}}}));
    CHECK(two.runner.finished());
    CHECK_FALSE(two.runner.next_due());
}

TEST_CASE("every kind of effect and of change has a crash point before and after it, each name once") {
    const auto points = crash_points();
    const std::set<std::string> names(points.begin(), points.end());
    CHECK(names.size() == points.size());
    CHECK(points.size() == 2 * (effect_names().size() + journal::change_names().size()));
    for (const char* name : {"before:send_bulk", "after:write_journal", "before:write_journal/open_batch"})
        CHECK(names.contains(name));
}
