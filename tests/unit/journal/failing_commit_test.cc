// Commits whose meta page is lost, whose map is full or that others hold up, by calls that fail.
#include <lmdb.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "journal/environment.h"
#include "journal/limits.h"
#include "tests/unit/journal/failing_calls.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

Writer open_writer(const fs::path& folder) {
    auto writer = Writer::open(folder);
    REQUIRE(writer);
    return std::move(*writer);
}

std::vector<Change> next_batch(BatchId id) {
    return {open_of("lex", id, id, id)};
}

// A process that reads: its slot in the table of readers is taken until somebody clears it.
class LiveReader {
  public:
    explicit LiveReader(const fs::path& folder) {
        process_.emplace([&]() -> std::shared_ptr<void> {
            auto environment = Environment::open_to_read(folder);
            if (!environment) return nullptr;
            const auto kept = std::make_shared<Kept>(std::move(*environment));
            auto transaction = kept->environment.begin_read();
            if (!transaction) return nullptr;
            kept->transaction.emplace(std::move(*transaction));
            return kept;
        });
    }
    void kill() { process_.reset(); }

  private:
    struct Kept {
        Environment environment;
        std::optional<Transaction> transaction = {};
    };
    std::optional<LiveProcess> process_;
};

// A commit that finds the map full once. How often the map was made larger before it was done.
std::size_t growths_of(Writer& writer, const std::vector<Change>& changes) {
    const CallsFail full({.call = "mdb_put", .status = MDB_MAP_FULL});
    const CallsFail growing({.call = "mdb_env_set_mapsize", .times = 0, .status = 0});
    REQUIRE(writer.commit(changes));
    REQUIRE(full.failed() == "mdb_put");
    CHECK(writer.read());  // the first try has left nothing in the sum
    return growing.seen();
}

}  // namespace

TEST_CASE("a meta page that LMDB could not make durable is put back as it was") {
    const TemporaryFolder folder;
    std::vector<PipelineSnapshot> before;
    {
        Writer writer = open_writer(folder.journal());
        REQUIRE(writer.commit(sample_changes()));
        before = writer.read().value();
        const CallsFail failing({.call = "mdb_txn_commit", .status = meta_page_lost});
        const auto lost = writer.commit(std::vector<Change>{begin_of("lex")});
        REQUIRE_FALSE(lost);
        CHECK(lost.error().kind == ErrorKind::storage);
    }
    CHECK(equal(open_writer(folder.journal()).read().value(), before));
}

TEST_CASE("a meta page that cannot be put back is a damage that the next start names") {
    // It cannot be kept from before, cannot be read again, cannot be written.
    const Failure failure = GENERATE(Failure{.call = "pread", .first = 1, .status = EIO},
                                     Failure{.call = "pread", .first = 2, .status = EIO},
                                     Failure{.call = "pwrite", .first = 1, .status = EIO});
    const TemporaryFolder folder;
    {
        Writer writer = open_writer(folder.journal());
        REQUIRE(writer.commit(sample_changes()));
        const CallsFail failing({.call = "mdb_txn_commit", .status = meta_page_lost});
        const CallsFail failing_too(failure);
        CHECK_FALSE(writer.commit(std::vector<Change>{begin_of("lex")}));
        CHECK(failing_too.failed() == failure.call);
    }
    const auto writer = Writer::open(folder.journal());
    REQUIRE_FALSE(writer);
    CHECK_THAT(writer.error().message,
               Catch::Contains("is damaged: page ") && Catch::Contains("but its records are of transaction"));
}

TEST_CASE("no changes are no transaction") {
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    const CallsFail counting({.call = "mdb_txn_begin", .times = 0, .status = 0});
    CHECK(writer.commit({}));
    CHECK(counting.seen() == 0);
}

TEST_CASE("a committed batch that cannot be taken away fails the commit") {
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    std::vector<Change> changes{begin_of("lex")};
    for (BatchId id = 1; id <= limits::committed_kept_max; ++id) {
        const OpenBatch open = open_of("lex", id, id, id);
        changes.insert(changes.end(), {open, apply_of(open), commit_of(open)});
    }
    REQUIRE(writer.commit(changes));
    const auto before = writer.read().value();
    const OpenBatch open = open_of("lex", 201, 201, 201);
    {
        // The first mdb_del is that of the gaps, of which there are none.
        const CallsFail failing({.call = "mdb_del", .first = 2, .status = EIO});
        CHECK_FALSE(writer.commit(std::vector<Change>{open, apply_of(open), commit_of(open)}));
        CHECK(failing.failed() == "mdb_del");
    }
    CHECK(equal(writer.read().value(), before));
}

TEST_CASE("a batch whose anchor cannot be kept is not applied") {
    // The batch is read first and written last, the pipeline in between.
    const auto [failure, message] = GENERATE(table<Failure, std::string>(
        {{Failure{.call = "mdb_get", .first = 2, .status = EIO}, "a record cannot be read"},
         {Failure{.call = "mdb_get", .first = 2, .status = rubbish}, "table pipelines, key 6c6578: "},
         {Failure{.call = "mdb_put", .first = 1, .status = EIO}, "a record cannot be written"}}));
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    const OpenBatch open = open_of("lex", 1, 1, 3);
    REQUIRE(writer.commit(std::vector<Change>{begin_of("lex"), open}));
    const auto before = writer.read().value();
    ApplyBatch apply = apply_of(open);
    apply.anchor = Anchor{7, 70};
    {
        const CallsFail failing(failure);
        const auto failed = writer.commit(std::vector<Change>{apply});
        REQUIRE(failing.failed() == failure.call);
        REQUIRE_FALSE(failed);
        CHECK(failed.error().kind == ErrorKind::storage);
        CHECK_THAT(failed.error().message, Catch::Contains(message));
    }
    CHECK(equal(writer.read().value(), before));
}

TEST_CASE("a map that others grow is taken over, as often as they grow it but not for ever") {
    const TemporaryFolder folder;
    const Writer writer = open_writer(folder.journal());
    {
        const CallsFail failing({.call = "mdb_txn_begin", .times = 3, .status = MDB_MAP_RESIZED});
        CHECK(writer.read());
        CHECK(failing.seen() == 4);
    }
    const auto error_of_read = [&] {
        const auto read = writer.read();
        REQUIRE_FALSE(read);
        CHECK(read.error().kind == ErrorKind::storage);
        return to_line(read.error());
    };
    const CallsFail failing({.call = "mdb_txn_begin", .times = 1'000, .status = MDB_MAP_RESIZED});
    CHECK_THAT(error_of_read(), Catch::Contains("a transaction cannot begin"));
    const std::size_t tries = failing.seen();
    CHECK(tries < 20);
    const CallsFail failing_too({.call = "mdb_env_set_mapsize", .status = ENOMEM});
    CHECK_THAT(error_of_read(), Catch::Contains("Cannot allocate memory"));
    CHECK(failing.seen() == tries + 1);
}

TEST_CASE("a map that is lost while it grows is not touched any more") {
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    REQUIRE(writer.commit(std::vector<Change>{begin_of("lex")}));
    const CallsFail full({.call = "mdb_put", .status = MDB_MAP_FULL});
    const CallsFail growing({.call = "mdb_env_set_mapsize", .status = ENOMEM});
    CHECK_FALSE(writer.commit(next_batch(1)));
    CHECK(growing.failed() == "mdb_env_set_mapsize");
    const CallsFail counting({.call = "mdb_txn_begin", .times = 0, .status = 0});
    const auto read = writer.read();
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::storage);
    CHECK_FALSE(writer.commit(next_batch(1)));
    CHECK(counting.seen() == 0);
}

TEST_CASE("a full map grows only when no killed reader holds pages back") {
    const TemporaryFolder folder;
    open_writer(folder.journal());
    LiveReader reader(folder.journal());
    Writer writer = open_writer(folder.journal());
    REQUIRE(writer.commit(std::vector<Change>{begin_of("lex")}));
    CHECK(growths_of(writer, next_batch(1)) == 1);  // it lives
    reader.kill();
    CHECK(growths_of(writer, next_batch(2)) == 0);
    CHECK(growths_of(writer, next_batch(3)) == 1);
}

TEST_CASE("a killed reader is forgotten after a thousand commits, whether the map is full or not") {
    constexpr BatchId commits_per_reader_check = 1000;
    const TemporaryFolder folder;
    open_writer(folder.journal());
    LiveReader reader(folder.journal());
    Writer writer = open_writer(folder.journal());
    reader.kill();
    REQUIRE(writer.commit(std::vector<Change>{begin_of("lex")}));
    for (BatchId commits = 2; commits <= commits_per_reader_check; ++commits)
        REQUIRE(writer.commit(std::vector<Change>{begin_of("lex")}));
    CHECK(growths_of(writer, next_batch(1)) == 1);  // nothing is left to clear
}
