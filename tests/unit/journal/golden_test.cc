// The golden journals of every format version are read by every build.
#include <catch2/catch.hpp>

#include "journal/reader.h"
#include "journal/writer.h"
#include "tests/unit/journal/golden.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {
const fs::path testdata = PAWL_JOURNAL_FOLDER "/testdata";
}

TEST_CASE("the journal of format 1 holds what was written into it") {
    const auto contents = read_journal(testdata / "format-1");
    REQUIRE(contents);
    CHECK(contents->format == 1);
    CHECK(contents->created_by == "pawl 0.1.0");
    CHECK(contents->damages.empty());
    CHECK_FALSE(contents->writer_pid);

    // The same changes, written by this build.
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    REQUIRE(writer->commit(golden_changes()));
    CHECK(equal(contents->pipelines, writer->read().value()));
    REQUIRE(contents->pipelines.size() == 2);
    CHECK(contents->pipelines.at(0).batches.size() == 3);
    CHECK(contents->pipelines.at(0).quarantine.size() == 2);
    CHECK(contents->pipelines.at(0).gaps.intervals() == std::vector<Interval>{{11, 13}, {21, 24}});
    CHECK(contents->pipelines.at(1).pipeline.source.mode == SourceMode::outbox);
}

TEST_CASE("this build goes on with the journal of format 1") {
    const TemporaryFolder folder;
    fs::create_directory(folder.journal());
    fs::copy(testdata / "format-1" / "data.mdb", folder.journal());
    fs::permissions(folder.journal() / "data.mdb", fs::perms(0644));
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    REQUIRE(writer->commit(std::vector<Change>{open_of("lex", 4, 20'001, 20'002)}));
    CHECK(writer->read().value().at(0).batches.size() == 4);
}
