#include "journal/writer.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include <catch2/catch.hpp>

#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

Writer open_writer(const fs::path& folder, const WriterOptions& options = {}) {
    auto writer = Writer::open(folder, options);
    INFO((writer ? "" : to_line(writer.error())));
    REQUIRE(writer);
    return std::move(*writer);
}

void commit(Writer& writer, const std::vector<Change>& changes) {
    const auto done = writer.commit(changes);
    INFO((done ? "" : to_line(done.error())));
    REQUIRE(done);
}

PipelineSnapshot only_pipeline(const Writer& writer) {
    const auto read = writer.read();
    REQUIRE(read);
    REQUIRE(read->size() == 1);
    return read->front();
}

unsigned mode_of(const fs::path& path) {
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

// 100,000 intervals: a record of 200 KB.
const IntervalSet& many_revisions() {
    static const IntervalSet set = [] {
        std::vector<Interval> intervals;
        for (Revision i = 0; i < 100'000; ++i)
            intervals.push_back({1 + 3 * i, 1 + 3 * i});
        return IntervalSet(intervals);
    }();
    return set;
}

// Commits large batches until a commit fails or `commits_max` are done. Gives the failure and the last batch
// that was acknowledged.
struct Filled {
    std::optional<Error> error;
    BatchId acknowledged = 0;
};
Filled fill(Writer& writer, BatchId commits_max) {
    Filled filled;
    for (BatchId id = 1; id <= commits_max; ++id) {
        OpenBatch open = open_of("lex", id, id * 1'000'000, id * 1'000'000);
        open.batch.revisions = many_revisions();
        open.batch.content.rows = 100'000;
        if (const auto done = writer.commit(std::vector<Change>{open}); !done) {
            filled.error = done.error();
            return filled;
        }
        filled.acknowledged = id;
    }
    return filled;
}

}  // namespace

TEST_CASE("a new journal knows nothing and survives being opened again") {
    const TemporaryFolder folder;
    for (int i = 0; i < 3; ++i) {
        const Writer writer = open_writer(folder.journal());
        const auto read = writer.read();
        REQUIRE(read);
        CHECK(read->empty());
    }
}

TEST_CASE("what was committed is there after opening again") {
    const TemporaryFolder folder;
    std::vector<PipelineSnapshot> before;
    {
        Writer writer = open_writer(folder.journal());
        commit(writer, sample_changes());
        before = writer.read().value();
    }
    const Writer writer = open_writer(folder.journal());
    const auto after = writer.read();
    REQUIRE(after);
    REQUIRE(after->size() == 2);
    CHECK(equal(before, *after));
    CHECK(after->at(0).batches.size() == 60);
    CHECK(after->at(0).gaps.count() > 3'000);
    CHECK(after->at(0).quarantine.size() == 29);
    CHECK(after->at(1).pipeline.condition == Condition::retrying);
}

TEST_CASE("beginning again forgets open batches and gaps, and keeps the quarantine and the numbers") {
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    commit(writer, sample_changes());
    commit(writer, {begin_of("lex", 42)});
    const auto read = writer.read().value();
    const PipelineSnapshot& lex = read.at(0);
    CHECK(lex.pipeline.last_batch == 60);
    CHECK(lex.pipeline.high == 42);
    CHECK(lex.gaps.empty());
    CHECK(lex.batches.size() == 57);
    CHECK(lex.quarantine.size() == 29);
    CHECK(read.at(1).batches.size() == 1);  // another pipeline's
}

TEST_CASE("quarantine is entered, left, retried and dropped") {
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    const OpenBatch first = open_of("lex", 1, 1, 3);
    ApplyBatch apply = apply_of(first);
    apply.outcome = {0, 0, 3};
    const std::string long_id(3'000, 'e');
    const std::string binary("a\0b\xff", 4);
    apply.quarantined = {entry_of("lex", "plain", 1), entry_of("lex", long_id, 2),
                         entry_of("lex", binary, 3)};
    commit(writer, {begin_of("lex"), first, apply});
    CHECK(only_pipeline(writer).quarantine.size() == 3);

    commit(writer, {RetryQuarantine{"lex", {"plain", "nobody"}}});
    for (const auto& entry : only_pipeline(writer).quarantine)
        CHECK(entry.retry_requested == (entry.entity == "plain"));
    commit(writer, {RetryQuarantine{"lex", {}}});
    for (const auto& entry : only_pipeline(writer).quarantine)
        CHECK(entry.retry_requested);

    const OpenBatch second = open_of("lex", 2, 4, 4);
    ApplyBatch release = apply_of(second);
    release.released = {"plain", "nobody"};
    commit(writer, {second, release});
    CHECK(only_pipeline(writer).quarantine.size() == 2);

    // Of a long id only the beginning is kept; it names its entry all the same.
    commit(writer, {DropQuarantine{"lex", {long_id.substr(0, limits::entity_bytes_max)}}});
    REQUIRE(only_pipeline(writer).quarantine.size() == 1);
    CHECK(only_pipeline(writer).quarantine.front().entity == binary);
    commit(writer, {DropQuarantine{"lex", {}}});
    CHECK(only_pipeline(writer).quarantine.empty());
}

TEST_CASE("a row that a replay sends ahead is the pipeline's anchor as soon as its batch is applied") {
    const TemporaryFolder folder;
    {
        Writer writer = open_writer(folder.journal());
        OpenBatch open = open_of("lex", 1, 1, 3);
        open.anchor = Anchor{3, 30};
        commit(writer, {begin_of("lex"), open});
        CHECK(only_pipeline(writer).pipeline.anchors == std::vector<Anchor>{{3, 30}});
        ApplyBatch apply = apply_of(open);
        apply.anchor = Anchor{7, 70};
        commit(writer, {apply});
    }
    const PipelineSnapshot lex = only_pipeline(open_writer(folder.journal()));
    CHECK(lex.batches.front().state == BatchState::applied);
    CHECK(lex.pipeline.anchors == std::vector<Anchor>{{7, 70}});
    CHECK(lex.pipeline.high == 3);  // the row ahead is owed all the same
}

TEST_CASE("only the last committed batches stay, and every open one") {
    const TemporaryFolder folder;
    {
        Writer writer = open_writer(folder.journal());
        commit(writer, {begin_of("lex"), open_of("lex", 1, 1, 1)});
        for (BatchId id = 2; id <= limits::committed_kept_max + 50; ++id) {
            const OpenBatch open = open_of("lex", id, id, id);
            CommitBatches done = commit_of(open);
            done.watermark = 0;
            commit(writer, {open, apply_of(open), done});
            if (id == limits::committed_kept_max) writer = open_writer(folder.path() / "other");
            if (id == limits::committed_kept_max) writer = open_writer(folder.journal());
        }
    }
    const auto batches = only_pipeline(open_writer(folder.journal())).batches;
    CHECK(batches.size() == limits::committed_kept_max + 1);
    CHECK(batches.front().id == 1);
    CHECK(batches.front().state == BatchState::intent);
    CHECK(batches.back().id == limits::committed_kept_max + 50);
    CHECK(batches.at(1).id == 51);
}

TEST_CASE("an illegal transition aborts and leaves the journal as it was") {
    const TemporaryFolder folder;
    {
        Writer writer = open_writer(folder.journal());
        commit(writer, {begin_of("lex"), open_of("lex", 1, 1, 1)});
    }
    CHECK(in_child([&] {
              auto writer = Writer::open(folder.journal());
              const OpenBatch second = open_of("lex", 2, 2, 2);
              CommitBatches too_early = commit_of(second);
              (void)writer->commit(std::vector<Change>{second, too_early});
              return 0;
          }) == -SIGABRT);
    const Writer writer = open_writer(folder.journal());
    CHECK(only_pipeline(writer).batches.size() == 1);
}

TEST_CASE("a change of a pipeline that the journal does not know is an error, and the writer stops") {
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    const Change change =
        GENERATE(as<Change>{}, open_of("saldo", 1, 1, 1), RecordCheckpoint{"saldo", {0, 5}},
                 SetShape{"saldo", 7, {}}, NoteIncident{"saldo", "R10", "another index", 9});
    const auto failed = writer.commit(std::vector<Change>{begin_of("lex"), change});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().kind == ErrorKind::storage);
    CHECK_THAT(failed.error().message, Catch::Contains("table pipelines, key 73616c646f: it is missing"));
    CHECK(writer.read().value().empty());  // nothing of the call is there
    const auto refused = writer.commit(std::vector<Change>{begin_of("lex")});
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, Catch::Contains("takes nothing more after a failure"));
}

TEST_CASE("a second writer is refused and told the first one's process") {
    const TemporaryFolder folder;
    const Writer writer = open_writer(folder.journal());
    const auto here = Writer::open(folder.journal());
    REQUIRE_FALSE(here);
    CHECK(here.error().kind == ErrorKind::decision);
    CHECK_THAT(here.error().message, Catch::Contains("another pawl, process " + std::to_string(::getpid())));
    // In another process too.
    CHECK(in_child([&] { return Writer::open(folder.journal()) ? 1 : 0; }) == 0);
}

TEST_CASE("the lock goes with its writer, and with its process") {
    const TemporaryFolder folder;
    {
        const Writer writer = open_writer(folder.journal());
    }
    CHECK(in_child([&] {
              const auto writer = Writer::open(folder.journal());
              return writer ? ::kill(::getpid(), SIGKILL) : 1;
          }) == -SIGKILL);
    const Writer writer = open_writer(folder.journal());
}

TEST_CASE("files are private whatever the umask") {
    for (const mode_t mask : {0U, 0077U, 0777U}) {
        const TemporaryFolder folder;
        const mode_t before = ::umask(mask);
        {
            Writer writer = open_writer(folder.journal());
            commit(writer, {begin_of("lex")});
            CHECK(writer.warnings().empty());
        }
        ::umask(before);
        CHECK(mode_of(folder.journal()) == 0700);
        std::size_t files = 0;
        for (const auto& entry : fs::directory_iterator(folder.journal())) {
            INFO(entry.path());
            CHECK(mode_of(entry.path()) == 0600);
            ++files;
        }
        CHECK(files == 3);
    }
}

TEST_CASE("a folder that others may look into is left as it is, with a warning and private files") {
    const TemporaryFolder folder;
    fs::create_directory(folder.journal());
    fs::permissions(folder.journal(), fs::perms(0755));
    const Writer writer = open_writer(folder.journal());
    REQUIRE(writer.warnings().size() == 1);
    CHECK_THAT(writer.warnings().front(), Catch::Contains("mode 0755") && Catch::Contains("chmod 700"));
    CHECK(mode_of(folder.journal()) == 0755);
    CHECK(mode_of(folder.journal() / "data.mdb") == 0600);
}

TEST_CASE("a folder that cannot be made is a storage error that names it") {
    const TemporaryFolder folder;
    const auto missing_parent = Writer::open(folder.path() / "a" / "b");
    REQUIRE_FALSE(missing_parent);
    CHECK(missing_parent.error().kind == ErrorKind::storage);
    CHECK_THAT(missing_parent.error().message, Catch::Contains("/a/b") && Catch::Contains("No such file"));
    write_bytes(folder.path() / "file", "x");
    const auto no_folder = Writer::open(folder.path() / "file");
    REQUIRE_FALSE(no_folder);
    CHECK(no_folder.error().kind == ErrorKind::storage);
}

TEST_CASE("a folder without write permission is a storage error") {
    const TemporaryFolder folder;
    fs::permissions(folder.path(), fs::perms(0755));
    fs::create_directory(folder.journal());
    fs::permissions(folder.journal(), fs::perms(0555));
    CHECK(in_child([&] {
              constexpr uid_t nobody = 65534;
              if (::geteuid() == 0 && ::setuid(nobody) != 0) return 1;
              const auto writer = Writer::open(folder.journal());
              return !writer && writer.error().kind == ErrorKind::storage ? 0 : 2;
          }) == 0);
}

TEST_CASE("what a crash left of a new journal is taken away") {
    const TemporaryFolder folder;
    fs::create_directories(folder.journal() / "data.mdb.new");
    write_bytes(folder.journal() / "data.mdb.new" / "data.mdb", "half");
    const Writer writer = open_writer(folder.journal());
    CHECK_FALSE(fs::exists(folder.journal() / "data.mdb.new"));
}

TEST_CASE("the map grows by itself") {
    const TemporaryFolder folder;
    Writer writer = open_writer(folder.journal());
    commit(writer, {begin_of("lex")});
    const Filled filled = fill(writer, 45);
    CHECK_FALSE(filled.error);
    CHECK(fs::file_size(folder.journal() / "data.mdb") > limits::map_bytes_initial);
    CHECK(only_pipeline(writer).batches.size() == 45);
}

TEST_CASE("a full map is a clear error, and nothing that was acknowledged is lost") {
    const TemporaryFolder folder;
    BatchId acknowledged = 0;
    {
        Writer writer = open_writer(folder.journal(), {.map_bytes_max = 3U << 20});
        commit(writer, {begin_of("lex")});
        const Filled filled = fill(writer, 100'000);
        REQUIRE(filled.error);
        CHECK(filled.error->kind == ErrorKind::storage);
        CHECK_THAT(filled.error->message, Catch::Contains("largest size"));
        CHECK_THAT(filled.error->advice, Catch::Contains("size_max"));
        acknowledged = filled.acknowledged;
        CHECK(fs::file_size(folder.journal() / "data.mdb") <= 3U << 20);
        CHECK(only_pipeline(writer).batches.size() == acknowledged);
    }
    Writer larger = open_writer(folder.journal());
    CHECK(only_pipeline(larger).pipeline.last_batch == acknowledged);
    commit(larger, {open_of("lex", acknowledged + 1, (acknowledged + 1) * 1'000'000,
                            (acknowledged + 1) * 1'000'000)});
}

TEST_CASE(
    "a file size limit, as of a full disk, is a clear error, and nothing that was acknowledged is lost") {
    const TemporaryFolder folder;
    {
        commit(*std::make_unique<Writer>(open_writer(folder.journal())), {begin_of("lex")});
    }
    const int code = in_child([&] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{2U << 20, 2U << 20};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
        auto writer = Writer::open(folder.journal());
        if (!writer) return 2;
        const Filled filled = fill(*writer, 100'000);
        if (!filled.error || filled.error->kind != ErrorKind::storage) return 3;
        if (writer->read().value().front().pipeline.last_batch != filled.acknowledged) return 4;
        if (writer->commit(std::vector<Change>{begin_of("lex")})) return 5;
        return filled.acknowledged > 3 ? 100 : 6;
    });
    REQUIRE(code == 100);
    const Writer writer = open_writer(folder.journal());
    CHECK(only_pipeline(writer).batches.size() == only_pipeline(writer).pipeline.last_batch);
}

TEST_CASE("a full disk is named as such, and nothing that was acknowledged is lost") {
    const TemporaryFolder folder;
    const fs::path disk = folder.path() / "disk";
    fs::create_directory(disk);
    REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m") == 0);
    struct Unmount {
        fs::path disk;
        ~Unmount() { ::umount2(disk.c_str(), MNT_DETACH); }
    } const unmount{disk};
    BatchId acknowledged = 0;
    {
        Writer writer = open_writer(disk / "journal");
        commit(writer, {begin_of("lex")});
        const Filled filled = fill(writer, 100'000);
        REQUIRE(filled.error);
        CHECK_THAT(filled.error->message, Catch::Contains("the disk is full"));
        acknowledged = filled.acknowledged;
        CHECK(acknowledged > 3);
    }
    const Writer writer = open_writer(disk / "journal");
    CHECK(only_pipeline(writer).pipeline.last_batch == acknowledged);
    // And a disk without any room for a new journal.
    const auto failed = Writer::open(disk / "another");
    REQUIRE_FALSE(failed);
    CHECK_THAT(failed.error().message, Catch::Contains("disk is full") || Catch::Contains("No space left"));
}
