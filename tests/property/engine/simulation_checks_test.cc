// A check that cannot fail is worth nothing: each is shown what it is there to find.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/simulation/sim_checks.h"
#include "tests/simulation/sim_rebuild_reader.h"
#include "tests/simulation/sim_trace.h"
#include "tests/simulation/sim_world.h"

using namespace pawl;
using namespace pawl::simulation;

namespace {

struct Watched {
    SimOptions options;
    SimHistory history{2};
    SimCluster cluster{history, 10'000};
    SimVersions versions{false};
    SimJournal journal;
    SimChecks checks{options, {history, cluster, versions}, journal};

    Revision row(RowKind kind = RowKind::good, Fate fate = Fate::committed) {
        const Revision revision = history.insert(0, kind);
        if (fate != Fate::open) history.end({revision}, fate);
        return revision;
    }
    static journal::Change begin(Revision high, const std::string& uuid = "uuid0") {
        return journal::BeginPipeline{
            .pipeline = "lex", .source = {}, .target = {"a", "i", uuid}, .high = high};
    }
    static journal::Change open(journal::BatchId id, Revision revision) {
        journal::OpenBatch change;
        change.batch.id = id;
        change.batch.pipeline = "lex";
        change.batch.revisions.insert(revision);
        change.batch.content = {.rows = 1, .indexed = 1};
        change.high = revision;
        return change;
    }
    static journal::Change apply(journal::BatchId id) {
        return journal::ApplyBatch{
            .pipeline = "lex", .batch = id, .outcome = {.done = 1}, .quarantined = {}, .released = {}};
    }
    static void write(SimJournal& journal, const std::vector<journal::Change>& changes) {
        REQUIRE(journal.commit(changes));
    }
    void write(const std::vector<journal::Change>& changes) { write(journal, changes); }
    // As if the disk had forgotten what it held.
    void replace_journal(const std::vector<journal::Change>& changes) {
        journal = SimJournal();
        write(changes);
    }
};

template <class Act>
std::string violation_by(Act act) {
    try {
        act();
    } catch (const Violation& violation) {
        return violation.text;
    }
    return "";
}

}  // namespace

TEST_CASE("a watermark above an open transaction or above what the index never had is seen") {
    Watched watched;
    watched.cluster.prepare();
    const auto look = [&] { watched.checks.journal_is_sound(); };
    watched.row(RowKind::good, Fate::dead);
    watched.write({Watched::begin(1)});
    CHECK(violation_by(look) == "");
    watched.row();
    watched.replace_journal({Watched::begin(2)});
    CHECK(violation_by(look) == "watermark 2 is above revision 2 of e0, which the index never had");
    watched.cluster.apply({2, 0, engine::Action::index}, 0);
    watched.versions.look_at(*watched.cluster.index());
    CHECK(violation_by(look) == "");
    watched.row(RowKind::good, Fate::open);
    watched.replace_journal({Watched::begin(3)});
    CHECK(violation_by(look) == "watermark 3 is above revision 3, whose transaction is open");
}

TEST_CASE(
    "a deleted document that an old row raises after its tombstone has gone is seen, or forgiven once") {
    Watched watched;
    SimVersions forgiving(true);
    watched.row();
    watched.row(RowKind::removed);
    watched.cluster.prepare();
    const auto look = [&] { watched.versions.look_at(*watched.cluster.index()); };
    watched.cluster.apply({2, 0, engine::Action::remove}, 0);
    forgiving.look_at(*watched.cluster.index());
    look();
    CHECK(watched.cluster.apply({1, 0, engine::Action::index}, 9'999).status ==
          engine::ItemStatus::superseded);
    CHECK(violation_by(look) == "");
    CHECK(watched.cluster.apply({1, 0, engine::Action::index}, 10'000).status == engine::ItemStatus::done);
    CHECK(violation_by(look) == "e0 went back from revision 2 to 1");
    forgiving.look_at(*watched.cluster.index());
    forgiving.look_at(*watched.cluster.index());
    CHECK(forgiving.forgiven() == 1);
    CHECK(watched.versions.highest(*watched.cluster.index(), 0) == 2);
}

TEST_CASE("a journal in which anything goes back is seen") {
    Watched watched;
    const auto look = [&] { watched.checks.journal_goes_forward(); };
    watched.write({Watched::begin(2), Watched::open(1, 5), Watched::apply(1)});
    look();
    SECTION("a batch") {
        watched.replace_journal({Watched::begin(2), Watched::open(1, 5)});
        CHECK(violation_by(look) == "batch 1 went back from APPLIED to INTENT");
    }
    SECTION("a batch that is forgotten before it is committed") {
        watched.replace_journal({Watched::begin(2), Watched::open(1, 5), Watched::apply(1),
                                 journal::CommitBatches{.pipeline = "lex", .batches = {1}, .watermark = 5}});
        look();
        watched.write({Watched::open(2, 6)});
        look();
        SimJournal other;
        Watched::write(other, {Watched::begin(2), Watched::open(1, 6), Watched::apply(1),
                               journal::CommitBatches{.pipeline = "lex", .batches = {1}, .watermark = 6},
                               Watched::open(2, 7), Watched::apply(2),
                               journal::CommitBatches{.pipeline = "lex", .batches = {2}, .watermark = 7}});
        for (journal::BatchId id = 3; id < 12; ++id)
            Watched::write(other,
                           {Watched::open(id, 5 + id), Watched::apply(id),
                            journal::CommitBatches{.pipeline = "lex", .batches = {id}, .watermark = 5 + id}});
        watched.journal = other;
        CHECK(violation_by(look) == "batch 2 is forgotten");
    }
    SECTION("high") {
        watched.replace_journal({Watched::begin(2), Watched::open(1, 4), Watched::apply(1)});
        CHECK(violation_by(look) == "high went back from 5 to 4");
    }
    SECTION("the watermark") {
        watched.replace_journal({Watched::begin(1), Watched::open(1, 5), Watched::apply(1)});
        CHECK(violation_by(look) == "the watermark went back from 2 to 1");
    }
    SECTION("the batches' numbers, even when the pipeline begins again") {
        watched.replace_journal({Watched::begin(2), Watched::begin(2)});
        CHECK(violation_by(look) == "batches are numbered again from 0, after 1");
    }
    SECTION("but a pipeline that begins again may go back to 0") {
        watched.write({Watched::begin(0)});
        CHECK(violation_by(look) == "");
    }
}

TEST_CASE("more open batches, gaps and pages than the limits allow are seen") {
    Watched watched;
    watched.options.limits.batches_open_max = 1;
    watched.options.limits.gaps_max = 1;
    watched.write({Watched::begin(0), Watched::open(1, 1)});
    CHECK(violation_by([&] { watched.checks.journal_is_sound(); }) == "");
    watched.write({Watched::open(2, 2)});
    CHECK(violation_by([&] { watched.checks.journal_is_sound(); }) == "2 batches are open");
    watched.options.limits.batches_open_max = 2;
    watched.write(
        {journal::CloseGaps{.pipeline = "lex", .gaps = engine::IntervalSet({{1, 1}}), .watermark = 0}});
    CHECK(violation_by([&] { watched.checks.journal_is_sound(); }) == "");
    watched.replace_journal(
        {Watched::begin(0), Watched::open(1, 9),
         journal::CloseGaps{
             .pipeline = "lex", .gaps = engine::IntervalSet({{1, 1}, {3, 3}}), .watermark = 0}});
    CHECK(violation_by([&] { watched.checks.journal_is_sound(); }) == "2 gaps are kept");

    SimRandom random(1);
    engine::ReadRequest request;
    request.revisions.insert(1);
    request.rows_max = 1;
    std::vector<std::shared_ptr<const engine::Page>> held;
    const auto look = [&] { check_memory(watched.options, watched.history, 1); };
    while (held.size() < 6)
        held.push_back(watched.history.read(request, nullptr, 0, false, random));
    CHECK(violation_by(look) == "");
    held.push_back(watched.history.read(request, nullptr, 0, false, random));
    CHECK(violation_by(look) == "7 pages are held in memory");
}

TEST_CASE("a request without a durable INTENT, beyond its limits or with an invalid row is seen") {
    Watched watched;
    watched.row();
    engine::BulkRequest request;
    request.actions.push_back(
        {.revision = 1, .action = engine::Action::index, .entity = "e0", .document = "{}"});
    const auto look = [&] { watched.checks.request_may_go(request, 1); };
    CHECK(violation_by(look) == "e0 at revision 1 is sent before its INTENT is durable");
    watched.write({Watched::begin(0), Watched::open(1, 1)});
    CHECK(violation_by(look) == "");
    CHECK(violation_by([&] { watched.checks.request_may_go(request, 3); }) == "3 requests are in flight");
    request.actions.front().action = engine::Action::invalid;
    CHECK(violation_by(look) == "an invalid row is sent");
    request.actions.clear();
    CHECK(violation_by(look) == "a request has 0 actions");
}

TEST_CASE("what keeps a run from having converged is named") {
    Watched watched;
    const SimChecks& checks = watched.checks;
    CHECK(checks.work_left() == "there is no index");
    watched.cluster.prepare();
    CHECK(checks.work_left() == "the journal does not know the pipeline");
    watched.write({Watched::begin(0, "another")});
    CHECK(checks.work_left() == "the journal names another index");
    watched.write({Watched::begin(0)});
    watched.row();
    CHECK(checks.work_left() == "not all is read");
    CHECK(violation_by([&] { checks.accounted_for(checks.latest_rows()); }) ==
          "caught up without revision 1 of e0");
    watched.write({Watched::open(1, 1)});
    CHECK(checks.work_left() == "1 batches are open");
    watched.write(
        {Watched::apply(1), journal::CommitBatches{.pipeline = "lex", .batches = {1}, .watermark = 1}});
    CHECK(checks.work_left() == "e0 is at revision 0 (no document), its latest row at 1");
    watched.cluster.apply({1, 0, engine::Action::index}, 0);
    watched.versions.look_at(*watched.cluster.index());
    CHECK(checks.work_left() == "");
    CHECK(violation_by([&] { checks.accounted_for(checks.latest_rows()); }) == "");
    watched.cluster.apply({1, 1, engine::Action::index}, 0);
    CHECK(checks.difference() == "e1 came from nowhere");
    watched.row(RowKind::invalid);
    CHECK(checks.difference() == "e0 is not in quarantine");
}

TEST_CASE("what a reader must not see of a rebuild is seen") {
    Watched watched;
    SimRebuildReader reader(watched.history, nullptr, watched.versions);
    const auto look = [&] { reader.look_at(watched.cluster.index()); };
    CHECK(violation_by(look) == "");
    watched.cluster.prepare();
    watched.row();
    watched.cluster.apply({1, 0, engine::Action::index}, 0);
    CHECK(violation_by(look) == "");
    SimCluster fresh = watched.cluster.beside();
    fresh.prepare();
    watched.versions.look_at(*fresh.index());
    const auto before = watched.cluster.index()->stored;
    const auto swap = [&] { reader.swaps_to(*fresh.index(), before); };
    CHECK(violation_by(swap) == "the alias is swapped to an index with e0 at 0, after 1");
    const auto done = [&] { reader.has_all(fresh.index()); };
    CHECK(violation_by(done) == "the rebuild is done, and the new index never had revision 1 of e0");
    watched.row(RowKind::removed);
    CHECK(violation_by(swap) == "");  // it has gone by now
    fresh.apply({1, 0, engine::Action::index}, 0);
    watched.versions.look_at(*fresh.index());
    CHECK(violation_by(done) == "");
    watched.cluster.delete_index("uuid0");
    CHECK(violation_by(look) == "a reader finds no index behind the alias");
}

TEST_CASE(
    "what a node forgets that dies is what was not durable yet, and it is no older state of the index") {
    Watched watched;
    SimCluster fresh = watched.cluster.beside();
    fresh.prepare();
    SimRandom random(1);
    const auto forget_all = [&](TimeMs now) {
        std::size_t forgotten = 0;
        for (int tries = 0; tries < 100; ++tries)
            forgotten += fresh.forget_last_writes(random, now);
        return forgotten;
    };
    fresh.apply({1, 0, engine::Action::index}, 0);
    fresh.apply({2, 0, engine::Action::index}, 1'000);
    watched.versions.look_at(*fresh.index());
    CHECK(forget_all(5'000) == 1);  // the first one has been synced
    CHECK(fresh.index()->stored[0].version == 1);
    CHECK(violation_by([&] { watched.versions.look_at(*fresh.index()); }) == "");
    fresh.apply({2, 0, engine::Action::index}, 6'000);
    fresh.remember("uuid0", {});
    CHECK(forget_all(6'000) == 0);
    fresh.apply({3, 0, engine::Action::index}, 6'000);
    fresh.finish_loading("uuid0");
    CHECK(forget_all(6'000) == 0);
    CHECK(fresh.index()->stored[0].version == 3);
}

namespace {

// A table with an outbox, filled into an index that a pawl has made.
struct WatchedOutbox {
    SimOptions options = options_of(1, journal::SourceMode::outbox);
    SimOutbox outbox{2};
    SimCluster cluster{outbox, 10'000};
    SimVersions versions{false, true};
    SimJournal journal;
    SimChecks checks{options, {outbox, cluster, versions, &outbox}, journal};

    WatchedOutbox() {
        cluster.prepare();
        Watched::write(journal, {Watched::begin(0)});
    }
    Revision edit(RowKind kind = RowKind::good) {
        const Revision revision = outbox.insert(0, kind);
        outbox.end({revision}, Fate::committed);
        return revision;
    }
    void index_has(Revision version) {
        cluster.apply({version, 0, engine::Action::index, outbox.present(0).content}, 0);
    }
    void delete_row(Revision revision) {
        CHECK(outbox.end_clean_up(
            outbox.begin_clean_up({.id = 1, .done = engine::IntervalSet({{revision, revision}})})));
    }
    std::string look() {
        return violation_by([&] { checks.journal_is_sound(); });
    }
};

}  // namespace

TEST_CASE("a row of the outbox that is deleted before the index shows what it stands for is seen") {
    WatchedOutbox watched;
    const Revision first = watched.edit();
    CHECK(watched.look() == "");
    watched.index_has(first);
    watched.delete_row(first);
    CHECK(watched.look() == "");
    const Revision second = watched.edit();
    CHECK(watched.look() == "");
    watched.delete_row(second);
    CHECK(watched.look() ==
          "e0 has no row in the outbox, and its content 2 is not in the index, but content 1 at revision 1 "
          "(document)");
    watched.index_has(second);
    CHECK(watched.look() == "");
}

TEST_CASE("an index that remembers the end of a fill which it did not have is seen") {
    WatchedOutbox watched;
    watched.outbox.hold(1, RowKind::good);
    Watched::write(
        watched.journal,
        {journal::BeginPipeline{
            .pipeline = "lex", .source = {}, .target = {"a", "i", "uuid0"}, .fill = journal::Fill{}}});
    CHECK(watched.look() == "");
    const auto look = [&] { watched.checks.index_remembers_no_more_than_it_holds(); };
    engine::Remembered remembered;
    remembered.filling = true;
    watched.cluster.remember("uuid0", remembered);
    CHECK(violation_by(look) == "");
    remembered.filling = false;
    watched.cluster.remember("uuid0", remembered);
    CHECK(violation_by(look).starts_with("e1 has no row in the outbox"));
}

TEST_CASE("what is left in an outbox, or is in quarantine without a row, keeps a run from having converged") {
    WatchedOutbox watched;
    const SimChecks& checks = watched.checks;
    CHECK(checks.work_left() == "");
    const Revision bad = watched.edit(RowKind::invalid);
    CHECK(checks.work_left() == "row 1 of e0 is left in the outbox");
    CHECK(violation_by([&] { checks.accounted_for({{bad}}); }) == "caught up without row 1 of e0");
    Watched::write(watched.journal,
                   {Watched::open(1, bad),
                    journal::ApplyBatch{.pipeline = "lex",
                                        .batch = 1,
                                        .outcome = {.quarantined = 1},
                                        .quarantined = {{.pipeline = "lex",
                                                         .entity = "e0",
                                                         .revision = bad,
                                                         .error = "invalid_body",
                                                         .reason = ""}},
                                        .released = {}},
                    journal::CommitBatches{.pipeline = "lex", .batches = {1}, .watermark = 1}});
    CHECK(checks.work_left() == "");
    CHECK(violation_by([&] { checks.accounted_for({{bad}}); }) == "");
    watched.delete_row(bad);
    CHECK(checks.work_left() == "e0 is in quarantine, but its row 1 is gone");
}

TEST_CASE("an older document is seen, unless it came late with the same version") {
    WatchedOutbox watched;
    const auto look = [&] { watched.versions.look_at(*watched.cluster.index()); };
    watched.outbox.hold(0, RowKind::good);
    watched.outbox.hold(0, RowKind::good);
    watched.cluster.apply({5, 0, engine::Action::index, 2}, 0);
    look();
    watched.cluster.apply({5, 0, engine::Action::index, 1}, 0);
    CHECK(violation_by(look) == "");
    watched.cluster.apply({5, 0, engine::Action::index, 2}, 0);
    look();
    watched.cluster.apply({6, 0, engine::Action::index, 1}, 0);
    CHECK(violation_by(look) == "e0 went back from content 2 to 1");
}

TEST_CASE("options survive the way to a command line and back") {
    SimOptions options = options_of(17);
    options.on = {};
    options.set(Fault::crashes, true);
    options.set(Fault::second_pawl, true);
    options.transactions = 3;
    options.strikes = 4;
    options.faults_end_ms = 5'000;
    options.strict = true;
    CHECK(
        to_arguments(options) ==
        "--seed 17 --faults crashes,second_pawl --transactions 3 --strikes 4 --faults-end-ms 5000 --strict");
    const auto parsed =
        parse(std::vector<std::string>{"--seed", "17", "--faults", "crashes,second_pawl", "--transactions",
                                       "3", "--strikes", "4", "--faults-end-ms", "5000", "--strict"});
    REQUIRE(parsed);
    CHECK(to_arguments(*parsed) == to_arguments(options));
    CHECK(to_arguments(rebuild_options_of(17)) == "--seed 17 --rebuild");
    CHECK(parse(std::vector<std::string>{"--seed", "17", "--rebuild"})->rebuild);
    options.mode = journal::SourceMode::outbox;
    CHECK(to_arguments(options).starts_with("--seed 17 --mode outbox --faults"));
    CHECK(parse(std::vector<std::string>{"--seed", "17", "--mode", "outbox"})->has_outbox());
    CHECK_FALSE(parse(std::vector<std::string>{"--seed", "17", "--mode", "inbox"}));
    CHECK_FALSE(parse(std::vector<std::string>{"--seed", "17", "--faults", "floods"}));
    CHECK_FALSE(parse(std::vector<std::string>{"--seed", "17", "--strikes"}));
    CHECK_FALSE(parse(std::vector<std::string>{"--seed", "x"}));
}
