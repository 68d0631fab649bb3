// GET_LOCK as the lease, on a real MariaDB: who has it, and when it is given up.
#include "source/lease.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "base/time.h"
#include "engine/limits.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;
using Outcome = engine::Lease::Outcome;

namespace {

// One pawl's lease.
struct Holder {
    explicit Holder(const config::MariaDb& settings,
                    const config::Pipeline& pipeline = TestDatabase::pipeline())
        : Holder(settings, pipeline, plenty) {}
    Holder(const config::MariaDb& settings, const config::Pipeline& pipeline, source::LeaseBudget& budget)
        : lease(std::make_unique<source::MariaDbLease>(settings, pipeline, budget, inbox)) {}
    engine::Lease ask() {
        lease->ask();
        const engine::Event event = inbox.next();
        if (const auto* failed = std::get_if<engine::LeaseFailed>(&event)) FAIL(to_line(failed->error));
        return std::get<engine::LeaseAnswered>(event).lease;
    }
    // Asks until another answer comes, as the engine does once a second; how long that took.
    TimeMs until(Outcome outcome) {
        const TimeMs begin = clock_now();
        while (ask().outcome != outcome)
            REQUIRE(clock_now() - begin < 60'000);
        return clock_now() - begin;
    }
    source::LeaseBudget plenty{1};
    CollectingInbox inbox;
    std::unique_ptr<source::MariaDbLease> lease;
};

config::Pipeline with_alias(const std::string& alias) {
    auto pipeline = TestDatabase::pipeline();
    pipeline.index.alias = alias;
    return pipeline;
}

config::Pipeline with_outbox(const std::string& alias, const std::string& outbox) {
    auto pipeline = with_alias(alias);
    pipeline.source.mode = journal::SourceMode::outbox;
    pipeline.source.outbox = config::Outbox{.table = outbox, .entity = {}, .view = {}, .joined = {}};
    return pipeline;
}

std::string user_of(TestDatabase& database, const std::string& lock) {
    return database.value(fmt::format("SELECT COALESCE(IS_USED_LOCK('{}'), 'nobody')", lock));
}

std::string holder_of(TestDatabase& database) {
    return database.value(
        fmt::format("SELECT IS_USED_LOCK('{}')",
                    source::lease_name(database.name(), TestDatabase::pipeline().index.alias)));
}

}  // namespace

TEST_CASE("a lease is one pawl's until it ends, and then the next one's at once") {
    TestDatabase database;
    auto first = std::make_unique<Holder>(database.settings());
    Holder second(database.settings());
    const TimeMs before = clock_now();
    const auto won = first->ask();
    CHECK(won.outcome == Outcome::won);
    CHECK(won.asked_at >= before);
    CHECK(first->ask().outcome == Outcome::held);
    const auto taken = second.ask();
    CHECK(taken.outcome == Outcome::taken);
    CHECK_THAT(taken.reason, Catch::Contains("connection " + holder_of(database)));
    first.reset();
    CHECK(second.until(Outcome::won) < 5'000);
    CHECK(second.ask().outcome == Outcome::held);
}

TEST_CASE("a process has no more leases than its budget allows; one that it loses makes room") {
    TestDatabase database;
    source::LeaseBudget two(2);
    Holder first(database.settings(), with_alias("a"), two);
    auto second = std::make_unique<Holder>(database.settings(), with_alias("b"), two);
    Holder third(database.settings(), with_alias("c"), two);
    CHECK(first.ask().outcome == Outcome::won);
    CHECK(second->ask().outcome == Outcome::won);
    const auto refused = third.ask();
    CHECK(refused.outcome == Outcome::taken);
    CHECK_THAT(refused.reason, Catch::Contains("nobody feeds this pipeline: this pawl has 2 others"));
    Holder elsewhere(database.settings(), with_alias("c"));
    CHECK(elsewhere.ask().outcome == Outcome::won);
    CHECK_THAT(third.ask().reason, Catch::StartsWith("another pawl, connection"));
    elsewhere.lease.reset();
    second.reset();
    CHECK(third.until(Outcome::won) < 5'000);
    CHECK(first.ask().outcome == Outcome::held);
    // A cut connection gives its place back, once.
    Holder fourth(database.settings(), with_alias("d"), two);
    CHECK(fourth.ask().outcome == Outcome::taken);
    database.execute(
        "KILL CONNECTION " +
        database.value(fmt::format("SELECT IS_USED_LOCK('{}')", source::lease_name(database.name(), "a"))));
    first.lease->ask();
    CHECK(std::holds_alternative<engine::LeaseFailed>(first.inbox.next()));
    CHECK(fourth.ask().outcome == Outcome::won);
    CHECK(first.ask().outcome == Outcome::taken);
}

TEST_CASE("a lease that is given back is another one's at once, and makes room") {
    TestDatabase database;
    source::LeaseBudget one(1);
    Holder first(database.settings(), with_alias("a"), one);
    Holder second(database.settings(), with_alias("b"), one);
    Holder elsewhere(database.settings(), with_alias("a"));
    CHECK(first.ask().outcome == Outcome::won);
    CHECK(second.ask().outcome == Outcome::taken);
    CHECK(elsewhere.ask().outcome == Outcome::taken);
    first.lease->give_back();
    CHECK(elsewhere.until(Outcome::won) < engine::limits::lease_silence_ms);
    CHECK(second.until(Outcome::won) < engine::limits::lease_silence_ms);
}

TEST_CASE("leases of other aliases and databases are others; the pipeline's name does not matter") {
    TestDatabase one;
    TestDatabase other;
    Holder first(one.settings());
    auto pipeline = TestDatabase::pipeline();
    pipeline.name = "called-differently";
    Holder second(one.settings(), pipeline);
    pipeline.index.alias = std::string(255, 'a');
    Holder third(one.settings(), pipeline);
    Holder fourth(other.settings());
    CHECK(first.ask().outcome == Outcome::won);
    CHECK(second.ask().outcome == Outcome::taken);
    CHECK(third.ask().outcome == Outcome::won);
    CHECK(fourth.ask().outcome == Outcome::won);
    CHECK(source::lease_name(one.name(), pipeline.index.alias).size() <= 64);
}

TEST_CASE("an outbox is worked off by one pawl, whatever alias that feeds") {
    TestDatabase one;
    TestDatabase other;
    auto first = std::make_unique<Holder>(one.settings(), with_outbox("a", "pawl_outbox_lex"));
    Holder standby(one.settings(), with_outbox("a", "pawl_outbox_lex"));
    Holder second(one.settings(), with_outbox("b", "PAWL_outbox_lex"));
    Holder rebuild(one.settings(), with_outbox("a-pawl-rebuild", "pawl_outbox_lex_rebuild"));
    Holder elsewhere(other.settings(), with_outbox("a", "pawl_outbox_lex"));
    const std::string lock = source::outbox_lock_name(one.name(), "pawl_outbox_lex");
    CHECK(first->ask().outcome == Outcome::won);
    CHECK(first->ask().outcome == Outcome::held);
    CHECK_THAT(standby.ask().reason, Catch::EndsWith(" feeds this pipeline"));
    const auto taken = second.ask();
    CHECK(taken.outcome == Outcome::taken);
    CHECK_THAT(taken.reason, Catch::Contains("connection " + user_of(one, lock)) &&
                                 Catch::Contains("feeds another alias from the outbox PAWL_outbox_lex"));
    CHECK(rebuild.ask().outcome == Outcome::won);
    CHECK(elsewhere.ask().outcome == Outcome::won);
    first.reset();
    CHECK(second.until(Outcome::won) < 5'000);
    CHECK(second.ask().outcome == Outcome::held);
    CHECK_THAT(standby.ask().reason, Catch::Contains("feeds another alias"));
    second.lease->give_back();
    CHECK(standby.until(Outcome::won) < 5'000);
}

TEST_CASE("who does not get both locks of a lease holds none") {
    TestDatabase database;
    Holder first(database.settings(), with_outbox("a", "one"));
    Holder second(database.settings(), with_outbox("a", "two"));
    CHECK(first.ask().outcome == Outcome::won);
    CHECK_THAT(second.ask().reason, Catch::EndsWith(" feeds this pipeline"));
    CHECK(user_of(database, source::outbox_lock_name(database.name(), "two")) == "nobody");
    Holder third(database.settings(), with_outbox("b", "one"));
    CHECK(third.ask().outcome == Outcome::taken);
    CHECK(user_of(database, source::lease_name(database.name(), "b")) == "nobody");
}

TEST_CASE("the name of an outbox's lock is short, and never that of an alias's") {
    const std::string outbox = "pawl_outbox_" + std::string(52, 'x');
    CHECK(source::outbox_lock_name("karp", outbox).size() == 64);
    CHECK(source::outbox_lock_name("karp", outbox) != source::outbox_lock_name("karp", outbox + "y"));
    CHECK(source::outbox_lock_name("karp", "lex") != source::lease_name("karp", "lex"));
}

TEST_CASE("whose connection is gone hears of it, and has to win its lease again") {
    TestDatabase database;
    Holder holder(database.settings());
    CHECK(holder.ask().outcome == Outcome::won);
    database.execute("KILL CONNECTION " + holder_of(database));
    holder.lease->ask();
    const engine::Event event = holder.inbox.next();
    REQUIRE(std::holds_alternative<engine::LeaseFailed>(event));
    CHECK(std::get<engine::LeaseFailed>(event).error.kind == ErrorKind::unavailable);
    CHECK_THAT(std::get<engine::LeaseFailed>(event).error.message, Catch::Contains("its lease"));
    CHECK(holder.ask().outcome == Outcome::won);
}

TEST_CASE("a holder that is silent loses it, and finds that out by itself before it counts on it") {
    TestDatabase database;
    Holder silent(database.settings());
    Holder next(database.settings());
    CHECK(silent.ask().outcome == Outcome::won);
    const TimeMs won_after = next.until(Outcome::won);
    INFO(won_after << " ms");
    // Not before its last word has ceased to count, and soon after MariaDB has ceased to wait.
    CHECK(won_after > engine::limits::lease_valid_ms);
    CHECK(won_after < engine::limits::lease_silence_ms + 5'000);
    silent.lease->ask();
    CHECK(std::holds_alternative<engine::LeaseFailed>(silent.inbox.next()));
    CHECK(silent.ask().outcome == Outcome::taken);
}
