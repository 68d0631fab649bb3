// A reader whose calls fail, and one under whose eyes the file changes.
#include <cerrno>
#include <stdexcept>

#include <catch2/catch.hpp>

#include "tests/unit/journal/failing_calls.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

void make_sample(const fs::path& folder) {
    auto writer = Writer::open(folder);
    REQUIRE(writer);
    REQUIRE(writer->commit(sample_changes()));
}

// Reads once per call that a reader makes, which then fails. How often the journal was not shown whole.
std::size_t read_with_each_call_failing(const fs::path& folder) {
    const auto whole = read_journal(folder).value().pipelines;
    std::size_t told = 0;
    bool more = true;
    for (std::size_t nth = 1; more; ++nth) {
        const CallsFail failing({.first = nth, .status = EIO});
        const auto contents = read_journal(folder);
        more = !failing.failed().empty();
        INFO("call " << nth << ", " << failing.failed());
        if (contents && contents->damages.empty())
            REQUIRE(equal(contents->pipelines, whole));
        else
            ++told;
    }
    return told;
}

}  // namespace

TEST_CASE("whichever call fails, a reader shows what is there or says what is missing") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    CHECK(read_with_each_call_failing(folder.journal()) > 10);
}

TEST_CASE("whichever call of LMDB fails, a live journal is shown whole, page by page") {
    const TemporaryFolder folder;
    const LiveProcess writer = live_writer(folder.journal(), sample_changes());
    CHECK(read_with_each_call_failing(folder.journal()) == 0);
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

TEST_CASE("a journal that changes while it is read is read again, until it is seen at one moment") {
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    REQUIRE(writer->commit(sample_changes()));
    BatchId next = 61;
    const auto commit_one = [&] {
        const OpenBatch open = open_of("lex", next, 20'000 + next, 20'000 + next);
        if (!writer->commit(std::vector<Change>{open})) throw std::runtime_error("no commit");
        ++next;
    };
    // A reader asks for the file's size behind each of the meta pages.
    constexpr BatchId last = 69;
    const BeforeCalls changing("fstat", [&] {
        if (next <= last) commit_one();
    });
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    CHECK(next == last + 1);
    CHECK(contents->damages.empty());
    CHECK(contents->pipelines.at(0).pipeline.last_batch == last);
    CHECK(equal(contents->pipelines, writer->read().value()));
}

TEST_CASE("a journal that never stands still is not read for ever") {
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    const BeforeCalls changing("fstat", [&] {
        if (!writer->commit(std::vector<Change>{begin_of("lex")})) throw std::runtime_error("no commit");
    });
    const auto contents = read_journal(folder.journal());
    REQUIRE_FALSE(contents);
    CHECK(contents.error().kind == ErrorKind::unavailable);
    CHECK_THAT(contents.error().message, Catch::Contains("changes faster than it can be read"));
}
