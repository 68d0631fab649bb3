// A writer that is killed at any moment leaves a journal with every commit that it acknowledged.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>

#include <catch2/catch.hpp>

#include "journal/writer.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

// One commit of a running pipeline: opens a batch, applies the one before, commits the one before that.
std::vector<Change> step(BatchId id) {
    std::vector<Change> changes{open_of("lex", id, id * 10, id * 10 + 9)};
    if (id > 1) changes.emplace_back(apply_of(open_of("lex", id - 1, id * 10 - 10, id * 10 - 1)));
    if (id > 2) changes.emplace_back(commit_of(open_of("lex", id - 2, id * 10 - 20, id * 10 - 11)));
    return changes;
}

// Commits for ever and writes the number of each acknowledged batch to `acknowledge`.
[[noreturn]] void commit_until_killed(const std::filesystem::path& folder, int acknowledge) {
    auto writer = Writer::open(folder);
    if (!writer) ::_exit(1);
    const auto read = writer->read();
    if (!read) ::_exit(2);
    BatchId id = read->empty() ? 0 : read->front().pipeline.last_batch;
    if (read->empty() && !writer->commit(std::vector<Change>{begin_of("lex")})) ::_exit(3);
    for (;;) {
        ++id;
        if (!writer->commit(step(id))) ::_exit(4);
        if (::write(acknowledge, &id, sizeof(id)) != sizeof(id)) ::_exit(5);
    }
}

// Lets a child commit until `acknowledgements` more have come and a little longer, kills it, and gives the
// last number that it acknowledged.
BatchId run_and_kill(const std::filesystem::path& folder, unsigned acknowledgements, unsigned microseconds) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) commit_until_killed(folder, ends[1]);
    ::close(ends[1]);
    BatchId last = 0;
    for (unsigned i = 0; i < acknowledgements; ++i)
        REQUIRE(::read(ends[0], &last, sizeof(last)) == sizeof(last));
    ::usleep(microseconds);  // synchronises nothing: any moment will do
    ::kill(child, SIGKILL);
    while (::read(ends[0], &last, sizeof(last)) == sizeof(last)) {
    }
    ::close(ends[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    return last;
}

void check_state(const PipelineSnapshot& snapshot, BatchId acknowledged) {
    const BatchId last = snapshot.pipeline.last_batch;
    // The commit after the last acknowledged one may have been done without word of it.
    CHECK(last >= acknowledged);
    CHECK(last <= acknowledged + 1);
    for (const Batch& batch : snapshot.batches) {
        const BatchState expected = batch.id == last       ? BatchState::intent
                                    : batch.id == last - 1 ? BatchState::applied
                                                           : BatchState::committed;
        CHECK(batch.state == expected);
        CHECK(batch.revisions.lowest() == batch.id * 10);
    }
    CHECK(snapshot.batches.size() == std::min<std::size_t>(last, limits::committed_kept_max + 2));
}

}  // namespace

TEST_CASE("a killed writer has lost no commit that it acknowledged, and none is there by half") {
    const TemporaryFolder folder;
    std::mt19937 random(20'261'124);  // NOLINT(bugprone-random-generator-seed): the same every time
    std::uniform_int_distribution<unsigned> acknowledgements(1, 20);
    std::uniform_int_distribution<unsigned> microseconds(0, 10'000);
    for (int round = 0; round < 40; ++round) {
        const BatchId acknowledged =
            run_and_kill(folder.journal(), acknowledgements(random), microseconds(random));
        INFO("round " << round << ", acknowledged " << acknowledged);
        const auto contents = read_journal(folder.journal());
        REQUIRE(contents);
        CHECK(contents->damages.empty());
        CHECK_FALSE(contents->writer_pid);
        const auto writer = Writer::open(folder.journal());
        REQUIRE(writer);
        const auto read = writer->read();
        REQUIRE(read);
        REQUIRE(read->size() == 1);
        check_state(read->front(), acknowledged);
        CHECK(equal(*read, contents->pipelines));
    }
}

TEST_CASE("readers are not disturbed by a writer that is killed, nor it by them") {
    const TemporaryFolder folder;
    {
        REQUIRE(Writer::open(folder.journal())->commit(std::vector<Change>{begin_of("lex")}));
    }
    const pid_t reader = ::fork();
    REQUIRE(reader >= 0);
    if (reader == 0) {
        for (;;) {
            const auto contents = read_journal(folder.journal());
            if (!contents || !contents->damages.empty() || contents->pipelines.size() != 1) ::_exit(1);
            // One moment: the newest batch is the only one in intent.
            const PipelineSnapshot& lex = contents->pipelines.front();
            for (const Batch& batch : lex.batches)
                if ((batch.state == BatchState::intent) != (batch.id == lex.pipeline.last_batch)) ::_exit(2);
        }
    }
    for (unsigned round = 0; round < 15; ++round) {
        run_and_kill(folder.journal(), 30, round * 100);
        int status = 0;
        REQUIRE(::waitpid(reader, &status, WNOHANG) == 0);  // it still reads
    }
    ::kill(reader, SIGKILL);
    int status = 0;
    ::waitpid(reader, &status, 0);
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    // Killed while it held a reader's slot: the next writer clears it.
    CHECK(Writer::open(folder.journal()));
}
