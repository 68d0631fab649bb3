// The golden journals of every format version are read by every build.
#include <catch2/catch.hpp>

#include "journal/format.h"
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

TEST_CASE("the journal of every format holds what was written into it") {
    const std::uint32_t format = GENERATE(1U, 2U, 3U, 4U, 5U, 6U);
    const auto contents = read_journal(testdata / ("format-" + std::to_string(format)));
    REQUIRE(contents);
    CHECK(contents->format == format);
    CHECK(contents->created_by == "pawl 0.1.0");
    CHECK(contents->damages.empty());
    CHECK_FALSE(contents->writer_pid);

    // The same changes, written by this build.
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    REQUIRE(writer->commit(golden_changes(format)));
    auto written = writer->read().value();
    if (format < 6)  // digests of another kind
        for (PipelineSnapshot& pipeline : written)
            pipeline.pipeline.shape = 0;
    CHECK(equal(contents->pipelines, written));
    REQUIRE(contents->pipelines.size() == (format < 3 ? 2 : 3));
    const PipelineSnapshot& lex = contents->pipelines.at(0);
    CHECK(lex.batches.size() == 3);
    CHECK(lex.quarantine.size() == 2);
    CHECK(lex.gaps.intervals() == std::vector<Interval>{{11, 13}, {format == 1 ? 21U : 23U, 24}});
    CHECK(lex.pipeline.gaps_unproven == (format == 1 ? 0 : 2));
    CHECK(contents->pipelines.at(1).pipeline.source.mode == SourceMode::outbox);
    if (format < 3) return;
    CHECK(lex.pipeline.checkpoint == Checkpoint{10, 5'000});
    CHECK(lex.pipeline.shape == (format < 6 ? 0 : 0x0123456789abcdef));
    CHECK(lex.pipeline.anchors == std::vector<Anchor>{{9, 90}, {20'000, 91}});
    REQUIRE(lex.pipeline.incidents.size() == 1);
    CHECK(lex.pipeline.incidents.front() == Incident{1, 6'000, "R10", "the alias leads to another index"});
    CHECK(contents->pipelines.at(2).pipeline.condition == Condition::standby);
    CHECK(contents->pipelines.at(2).pipeline.target.uuid.empty());
    if (format < 4) return;
    const PipelineSnapshot& saldo = contents->pipelines.at(1);
    CHECK(saldo.pipeline.fill == Fill{"[\"katt\"]", 5});
    REQUIRE(saldo.batches.size() == 1);
    CHECK(saldo.batches.front().revisions.empty());
}

TEST_CASE("every format has its golden journal") {
    for (std::uint32_t format = 1; format <= format::version; ++format)
        CHECK(fs::exists(testdata / ("format-" + std::to_string(format)) / "data.mdb"));
}

TEST_CASE("this build goes on with the journal of every format, and older pawls refuse it from then on") {
    const std::uint32_t format = GENERATE(1U, 2U, 3U, 4U, 5U, 6U);
    const TemporaryFolder folder;
    fs::create_directory(folder.journal());
    fs::copy(testdata / ("format-" + std::to_string(format)) / "data.mdb", folder.journal());
    fs::permissions(folder.journal() / "data.mdb", fs::perms(0644));
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    CHECK(read_journal(folder.journal()).value().format == format::version);
    CHECK(read_journal(folder.journal()).value().created_by == "pawl 0.1.0");
    CHECK(read_journal(folder.journal()).value().damages.empty());
    REQUIRE(writer->commit(std::vector<Change>{open_of("lex", 4, 20'001, 20'002)}));
    CHECK(writer->read().value().at(0).batches.size() == 4);
    CHECK(read_journal(folder.journal()).value().damages.empty());
}
