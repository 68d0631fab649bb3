// Every call that the journal makes to the system or to LMDB may fail. Here each of them does, one after the
// other.
#include "tests/unit/journal/failing_calls.h"

#include <lmdb.h>

#include <cerrno>
#include <vector>

#include <catch2/catch.hpp>

#include "journal/environment.h"
#include "journal/limits.h"
#include "journal/lock.h"
#include "journal/set_aside.h"
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
    // An id as long as may be is looked for in the whole table: it may be what is left of a longer one.
    const std::string longest(limits::entity_bytes_max, 'x');
    apply.outcome = {7, 0, 3};
    apply.quarantined = {entry_of("lex", "one", 3), entry_of("lex", "two", 4), entry_of("lex", longest, 5)};
    apply.anchor = Anchor{12, 120};
    CommitBatches committed = commit_of(first);
    committed.watermark = 14;
    const OpenBatch second = open_of("lex", 2, 21, 25);
    ApplyBatch released = apply_of(second);
    released.released = {"one", longest};
    return {{begin_of("lex")},
            {first},
            {apply},
            {committed, CloseGaps{"lex", {}, 20}},
            {RecordCheckpoint{"lex", {20, 6'000}}, SetShape{"lex", 7, {{12, 121}}},
             NoteIncident{"lex", "R10", "the alias leads to another index", 6'500}},
            {second, SetCondition{"lex", Condition::retrying, "refused", 7'000}},
            {RetryQuarantine{"lex", {"two", longest}}},
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

TEST_CASE("whichever call fails, the journal of an older format is raised or left as it was") {
    const fs::path old = fs::path(PAWL_JOURNAL_FOLDER) / "testdata/format-1/data.mdb";
    const auto written = read_journal(old.parent_path()).value().pipelines;
    std::size_t errors = 0;
    bool more = true;
    for (std::size_t nth = 1; more; ++nth) {
        const TemporaryFolder folder;
        fs::create_directory(folder.journal());
        fs::copy(old, folder.journal());
        {
            const CallsFail failing({.first = nth, .status = EIO});
            const auto writer = Writer::open(folder.journal());
            more = !failing.failed().empty();
            INFO("call " << nth << ", " << failing.failed());
            if (!writer) {
                ++errors;
                CHECK(is_storage_error(writer.error()));
            }
        }
        const auto after = read_journal(folder.journal());
        REQUIRE(after);
        CHECK(after->damages.empty());
        CHECK(equal(after->pipelines, written));
        CHECK(Writer::open(folder.journal()));
    }
    CHECK(errors > 20);
}

TEST_CASE("whichever call fails, a damaged journal keeps its name or gets the new one, and is never lost") {
    const auto when = GENERATE(SetAsideWhen::damaged, SetAsideWhen::asked_for);
    const std::string damaged(10'000, 'x');
    std::size_t errors = 0;
    std::size_t left = 0;
    bool more = true;
    for (std::size_t nth = 1; more; ++nth) {
        const TemporaryFolder folder;
        const fs::path before = folder.path() / "data.mdb";
        const fs::path after = folder.path() / "data.mdb.damaged-19700101t000000z";
        write_bytes(before, damaged);
        write_bytes(folder.path() / "lock.mdb", "readers");
        const CallsFail failing({.first = nth, .status = EIO});
        const auto gone = set_aside(folder.path(), when, 0);
        more = !failing.failed().empty();
        INFO("call " << nth << ", " << failing.failed());
        REQUIRE(fs::exists(before) != fs::exists(after));
        CHECK(read_bytes(fs::exists(before) ? before : after) == damaged);
        if (!gone) {
            ++errors;
            CHECK(is_storage_error(gone.error()));
        } else if (*gone) {
            CHECK((*gone)->file == after);
            CHECK(fs::exists(after));
            CHECK_FALSE(fs::exists(folder.path() / "lock.mdb"));
        } else {
            ++left;
            CHECK(fs::exists(before));
        }
    }
    CHECK(errors > 5);
    // What cannot be read now may be sound.
    CHECK(left >= (when == SetAsideWhen::damaged ? 3U : 1U));
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

TEST_CASE("a parent folder that is somebody else's need not be made durable") {
    const TemporaryFolder folder;
    REQUIRE(Writer::open(folder.journal()));
    // The data file is synced first, then its folder, then the folder's parent.
    constexpr std::size_t parent = 3;
    for (const int status : {EACCES, EPERM, EROFS, EINVAL}) {
        const CallsFail failing({.call = "fsync", .first = parent, .status = status});
        CHECK(Writer::open(folder.journal()));
        CHECK(failing.failed() == "fsync");
    }
    CHECK_THAT(refusal(folder.journal(), {.call = "fsync", .first = parent, .status = EIO}),
               Catch::Contains("cannot be made durable"));
    CHECK_THAT(refusal(folder.journal(), {.call = "fsync", .first = parent - 1, .status = EINVAL}),
               Catch::Contains("cannot be made durable"));
}
