// Every call that the journal makes to the system or to LMDB may fail. Here each of them does, one after the
// other.
#include "tests/unit/journal/failing_calls.h"

#include <lmdb.h>

#include <array>
#include <cerrno>
#include <vector>

#include <catch2/catch.hpp>

#include "journal/environment.h"
#include "journal/format.h"
#include "journal/lock.h"
#include "journal/new_journal.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

using Snapshots = std::vector<PipelineSnapshot>;
using Commits = std::vector<std::vector<Change>>;

// Every kind of change, each on what it reads, writes and takes away.
Commits every_change() {
    OpenBatch first = open_of("lex", 1, 1, 10);
    first.high = 20;
    first.gaps.insert(Interval{15, 16});
    ApplyBatch apply = apply_of(first);
    apply.outcome = {8, 0, 2};
    apply.quarantined = {entry_of("lex", "one", 3), entry_of("lex", "two", 4)};
    CommitBatches committed = commit_of(first);
    committed.watermark = 14;
    const OpenBatch second = open_of("lex", 2, 21, 25);
    ApplyBatch released = apply_of(second);
    released.released = {"one"};
    return {{begin_of("lex")},
            {first},
            {apply},
            {committed, CloseGaps{"lex", {}, 20}},
            {second, SetCondition{"lex", Condition::retrying, "refused", 7'000}},
            {RetryQuarantine{"lex", {"two"}}},
            {released},
            {DropQuarantine{"lex", {}}},
            {open_of("lex", 3, 26, 26)},
            {begin_of("lex", 30)}};
}

struct Run {
    std::optional<Error> error;
    std::size_t acknowledged = 0;  // commits
    Snapshots read;                // at the end, when nothing failed
};

// Opens the journal, commits, reads: until something fails.
Run run(const fs::path& folder, const Commits& commits) {
    Run done;
    auto writer = Writer::open(folder);
    if (!writer) return {writer.error(), 0, {}};
    for (const auto& changes : commits) {
        if (const auto committed = writer->commit(changes); !committed)
            return {committed.error(), done.acknowledged, {}};
        ++done.acknowledged;
    }
    auto read = writer->read();
    if (!read) return {read.error(), done.acknowledged, {}};
    done.read = std::move(*read);
    return done;
}

// What the journal holds after the first 0, 1, … commits.
std::vector<Snapshots> histories(const Commits& commits) {
    std::vector<Snapshots> states;
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    states.push_back(writer->read().value());
    for (const auto& changes : commits) {
        REQUIRE(writer->commit(changes));
        states.push_back(writer->read().value());
    }
    return states;
}

bool is_storage_error(const Error& error) {
    return error.kind == ErrorKind::storage && !error.message.empty() && !error.advice.empty();
}

void make_sample(const fs::path& folder) {
    auto writer = Writer::open(folder);
    REQUIRE(writer);
    REQUIRE(writer->commit(sample_changes()));
}

// The message of the error that opening the folder gives while a call fails.
std::string refusal(const fs::path& folder, const Failure& failure) {
    const CallsFail failing(failure);
    const auto writer = Writer::open(folder);
    REQUIRE_FALSE(failing.failed().empty());
    REQUIRE_FALSE(writer);
    CHECK(is_storage_error(writer.error()));
    return to_line(writer.error());
}

}  // namespace

TEST_CASE("whichever call fails, the writer says so and nothing that it acknowledged is lost") {
    const Commits commits = every_change();
    const auto states = histories(commits);
    std::size_t errors = 0;
    bool more = true;
    for (std::size_t nth = 1; more; ++nth) {
        const TemporaryFolder folder;
        Run done;
        std::string failed;
        {
            const CallsFail failing({.first = nth, .status = EIO});
            done = run(folder.journal(), commits);
            failed = failing.failed();
        }
        more = !failed.empty();
        INFO("call " << nth << ", " << failed << ": " << (done.error ? to_line(*done.error) : "no error"));
        if (done.error) {
            ++errors;
            REQUIRE(is_storage_error(*done.error));
        } else {
            REQUIRE(done.acknowledged == commits.size());
            REQUIRE(equal(done.read, states.back()));
        }
        // Opened again when nothing fails any more.
        const Run after = run(folder.journal(), {});
        INFO((after.error ? to_line(*after.error) : ""));
        REQUIRE_FALSE(after.error);
        const bool is_last = equal(after.read, states.at(done.acknowledged));
        const bool is_next = done.error && done.acknowledged < commits.size() &&
                             equal(after.read, states.at(done.acknowledged + 1));
        REQUIRE((is_last || is_next));
    }
    CHECK(errors > 100);
}

TEST_CASE("whichever call fails, a reader shows what is there or says what is missing") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    const auto whole = read_journal(folder.journal()).value().pipelines;
    std::size_t told = 0;
    bool more = true;
    for (std::size_t nth = 1; more; ++nth) {
        const CallsFail failing({.first = nth, .status = EIO});
        const auto contents = read_journal(folder.journal());
        more = !failing.failed().empty();
        INFO("call " << nth << ", " << failing.failed());
        if (contents && contents->damages.empty())
            REQUIRE(equal(contents->pipelines, whole));
        else
            ++told;
    }
    CHECK(told > 10);
}

TEST_CASE("a record that goes bad under an open writer stops it, and is named") {
    const Commits commits = every_change();
    std::size_t errors = 0;
    for (const std::string_view call : {"mdb_get", "mdb_cursor_get"}) {
        bool more = true;
        for (std::size_t nth = 1; more; ++nth) {
            const TemporaryFolder folder;
            const CallsFail failing({.call = call, .first = nth, .status = rubbish});
            const Run done = run(folder.journal(), commits);
            more = !failing.failed().empty();
            INFO(call << " " << nth);
            if (!done.error) continue;  // a value that nobody looks at, or that is written anew
            ++errors;
            CHECK(is_storage_error(*done.error));
            CHECK_THAT(done.error->message, Catch::Contains("table ") && Catch::Contains(", key "));
        }
    }
    CHECK(errors > 10);
}

TEST_CASE("a read that a signal interrupts is done again") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    const CallsFail failing({.call = "pread", .times = 3, .status = EINTR});
    const auto contents = read_journal(folder.journal());
    CHECK(failing.failed() == "pread");
    REQUIRE(contents);
    CHECK(contents->damages.empty());
}

TEST_CASE("a file that becomes shorter while it is read is damaged, and the damage says so") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    const std::size_t last = [&] {
        const CallsFail counting({.call = "pread", .times = 0, .status = 0});
        REQUIRE(read_journal(folder.journal()));
        return counting.seen();
    }();
    // The last page that is read before the meta pages are looked at again.
    const CallsFail failing({.call = "pread", .first = last - 3, .status = 0});
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    REQUIRE_FALSE(contents->damages.empty());
    CHECK(contents->damages.front().what == "the file became shorter while it was read");
}

TEST_CASE("a map that others grow is taken over, as often as they grow it but not for ever") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    {
        const CallsFail failing({.call = "mdb_txn_begin", .times = 3, .status = MDB_MAP_RESIZED});
        CHECK(writer->read());
        CHECK(failing.seen() == 4);
    }
    const CallsFail failing({.call = "mdb_txn_begin", .times = 1'000, .status = MDB_MAP_RESIZED});
    const auto read = writer->read();
    REQUIRE_FALSE(read);
    CHECK(is_storage_error(read.error()));
    CHECK(failing.seen() < 20);
}

TEST_CASE("what LMDB and the system say becomes an error with the fitting advice") {
    const auto advice = [](int status) { return lmdb_error(status, "/tmp", "cannot be written").advice; };
    CHECK_THAT(advice(MDB_MAP_FULL), Catch::Contains("size_max"));
    CHECK_THAT(advice(ENOSPC), Catch::Contains("free space"));
    CHECK_THAT(advice(EDQUOT), Catch::Contains("free space"));
    CHECK_THAT(advice(EFBIG), Catch::Contains("LimitFSIZE"));
    for (const int status : {EACCES, EPERM, EROFS})
        CHECK_THAT(advice(status), Catch::Contains("the user that pawl runs as"));
    CHECK_THAT(advice(EIO), Catch::Contains("kernel's log"));
    // Whether EIO means a full disk cannot be asked where the folder is gone.
    CHECK_THAT(lmdb_error(EIO, "/nowhere/at/all", "cannot be written").advice,
               Catch::Contains("kernel's log"));
}

TEST_CASE("a file system without locks is named as such") {
    const TemporaryFolder folder;
    for (const int status : {ENOLCK, EIO})
        CHECK_THAT(refusal(folder.journal(), {.call = "fcntl", .status = status}),
                   Catch::Contains("cannot be locked") && Catch::Contains("local file system"));
    // POSIX lets a system say either when another process has the lock.
    for (const int status : {EAGAIN, EACCES}) {
        fs::create_directory(folder.path() / "other");
        const CallsFail failing({.call = "fcntl", .status = status});
        const auto lock = WriterLock::take(folder.path() / "other");
        REQUIRE_FALSE(lock);
        CHECK(lock.error().kind == ErrorKind::decision);
    }
}
