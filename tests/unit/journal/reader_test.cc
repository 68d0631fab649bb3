#include "journal/reader.h"

#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "journal/format.h"
#include "journal/writer.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

std::vector<PipelineSnapshot> make_sample(const fs::path& folder) {
    auto writer = Writer::open(folder);
    REQUIRE(writer);
    REQUIRE(writer->commit(sample_changes()));
    return writer->read().value();
}

}  // namespace

TEST_CASE("a journal at rest is read whole, and nothing in its folder changes") {
    const TemporaryFolder folder;
    const auto written = make_sample(folder.journal());
    const std::string before = read_bytes(folder.journal() / "data.mdb");
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    CHECK(contents->format == format::version);
    CHECK(contents->created_at > 0);
    CHECK_THAT(contents->created_by, Catch::StartsWith("pawl "));
    CHECK(contents->damages.empty());
    CHECK_FALSE(contents->writer_pid);
    CHECK(equal(contents->pipelines, written));
    CHECK(read_bytes(folder.journal() / "data.mdb") == before);
}

TEST_CASE("a copy of the data file alone is enough, also where nothing can be written") {
    const TemporaryFolder folder;
    const auto written = make_sample(folder.journal());
    const fs::path copy = folder.path() / "copy";
    fs::create_directory(copy);
    fs::copy(folder.journal() / "data.mdb", copy / "data.mdb");
    REQUIRE(::mount(copy.c_str(), copy.c_str(), nullptr, MS_BIND, nullptr) == 0);
    REQUIRE(::mount(nullptr, copy.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
    const auto contents = read_journal(copy);
    ::umount2(copy.c_str(), MNT_DETACH);
    REQUIRE(contents);
    CHECK(contents->damages.empty());
    CHECK(equal(contents->pipelines, written));
    CHECK(std::distance(fs::directory_iterator(copy), {}) == 1);
}

TEST_CASE("a live journal names the process that has it open") {
    const TemporaryFolder folder;
    const LiveProcess writer = live_writer(folder.journal(), sample_changes());
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    CHECK(contents->writer_pid == writer.pid());
    CHECK(contents->damages.empty());
    CHECK(contents->pipelines.size() == 2);
}

TEST_CASE("a live journal is read without its lock files being writable") {
    const TemporaryFolder folder;
    const LiveProcess writer = live_writer(folder.journal(), sample_changes());
    fs::permissions(folder.path(), fs::perms(0755));
    fs::permissions(folder.journal(), fs::perms(0755));
    for (const auto& file : fs::directory_iterator(folder.journal()))
        fs::permissions(file, fs::perms(0444));
    CHECK(in_child([&] {
              constexpr uid_t nobody = 65534;
              if (::setuid(nobody) != 0) return 1;
              const auto contents = read_journal(folder.journal());
              if (!contents || contents->writer_pid != writer.pid()) return 2;
              return contents->damages.empty() && contents->pipelines.size() == 2 ? 0 : 3;
          }) == 0);
}

TEST_CASE("the writer's own process can read its journal and keeps its lock") {
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    REQUIRE(writer->commit(sample_changes()));
    for (int i = 0; i < 3; ++i) {
        const auto contents = read_journal(folder.journal());
        REQUIRE(contents);
        CHECK(contents->writer_pid == ::getpid());
        CHECK(equal(contents->pipelines, writer->read().value()));
    }
    CHECK_FALSE(Writer::open(folder.journal()));
    REQUIRE(writer->commit(std::vector<Change>{begin_of("more")}));
}

TEST_CASE("a reader follows a writer that has grown its map") {
    const TemporaryFolder folder;
    std::vector<Change> changes{begin_of("lex")};
    std::vector<Interval> many;
    for (Revision i = 0; i < 100'000; ++i)
        many.push_back({1 + 3 * i, 1 + 3 * i});
    const IntervalSet revisions(many);
    for (BatchId id = 1; id <= 45; ++id) {
        OpenBatch open = open_of("lex", id, id * 1'000'000, id * 1'000'000);
        open.batch.revisions = revisions;
        open.batch.content.rows = 100'000;
        changes.emplace_back(open);
    }
    const LiveProcess writer = live_writer(folder.journal(), changes);
    CHECK(fs::file_size(folder.journal() / "data.mdb") > limits::map_bytes_initial);
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    CHECK(contents->damages.empty());
    CHECK(contents->pipelines.front().batches.size() == 45);
}

TEST_CASE("a folder that is not there, is empty or holds something else is an error that says so") {
    const TemporaryFolder folder;
    const auto missing = read_journal(folder.path() / "nowhere");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::invalid);
    CHECK_THAT(missing.error().message,
               Catch::Contains("nowhere/data.mdb") && Catch::Contains("No such file"));

    for (const std::string& bytes :
         {std::string(), std::string("not a journal"), std::string(100'000, 'x')}) {
        write_bytes(folder.path() / "data.mdb", bytes);
        const auto other = read_journal(folder.path());
        REQUIRE_FALSE(other);
        CHECK(other.error().kind == ErrorKind::storage);
        CHECK_THAT(other.error().message, Catch::Contains("is no journal of pawl"));
        const auto writer = Writer::open(folder.path());
        REQUIRE_FALSE(writer);
        CHECK(writer.error().kind == ErrorKind::storage);
        CHECK(read_bytes(folder.path() / "data.mdb") == bytes);
    }
}
