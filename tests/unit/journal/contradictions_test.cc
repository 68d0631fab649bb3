#include "journal/contradictions.h"

#include <limits>

#include <catch2/catch.hpp>

#include "journal/codec.h"
#include "journal/reader.h"
#include "journal/writer.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

// high 20, watermark 10, a gap 11 … 13, batches 1 (COMMITTED), 2 (APPLIED) and 3 (INTENT).
PipelineSnapshot sound() {
    PipelineSnapshot snapshot;
    snapshot.pipeline.name = "lex";
    snapshot.pipeline.high = 20;
    snapshot.pipeline.watermark = 10;
    snapshot.pipeline.last_batch = 3;
    snapshot.gaps = IntervalSet({{11, 13}});
    snapshot.batches = {open_of("lex", 1, 1, 10).batch, open_of("lex", 2, 14, 15).batch,
                        open_of("lex", 3, 16, 20).batch};
    snapshot.batches[0].state = BatchState::committed;
    snapshot.batches[0].committed_at = 3'000;
    snapshot.batches[1].state = BatchState::applied;
    snapshot.batches[1].outcome.done = 2;
    return snapshot;
}

// The one contradiction after a change to the sound one.
template <class Change>
std::string after(Change change) {
    PipelineSnapshot snapshot = sound();
    change(snapshot);
    const auto found = contradictions_in(snapshot);
    REQUIRE(found.size() == 1);
    return found[0].where + ": " + found[0].what;
}

}  // namespace

TEST_CASE("records that fit together contradict nothing") {
    CHECK(contradictions_in(sound()).empty());
}

TEST_CASE("a gap lies above the watermark and at or below high") {
    CHECK(after([](auto& snapshot) { snapshot.pipeline.watermark = 11; }) ==
          "table gaps, key 6c6578: a gap at 11, but the watermark is 11");
    CHECK(after([](auto& snapshot) { snapshot.gaps.insert(21); }) ==
          "table gaps, key 6c6578: a gap up to 21, but high is 20");
}

TEST_CASE("anchors rise") {
    CHECK(after([](auto& snapshot) { snapshot.pipeline.anchors = {{5, 1}, {7, 2}, {6, 3}, {25, 4}}; }) ==
          "table pipelines, key 6c6578: anchor 6 comes after anchor 7");
    CHECK(after([](auto& snapshot) { snapshot.pipeline.anchors = {{7, 1}, {7, 2}}; }) ==
          "table pipelines, key 6c6578: anchor 7 comes after anchor 7");
    PipelineSnapshot snapshot = sound();
    snapshot.pipeline.anchors = {{5, 1}, {7, 2}, {25, 3}};  // the last one of a row ahead of its turn
    CHECK(contradictions_in(snapshot).empty());
}

TEST_CASE("the checkpoint is at or below high") {
    CHECK(after([](auto& snapshot) { snapshot.pipeline.checkpoint = Checkpoint{21, 5}; }) ==
          "table pipelines, key 6c6578: a checkpoint at 21, but high is 20");
    PipelineSnapshot snapshot = sound();
    snapshot.pipeline.checkpoint = Checkpoint{20, 5};
    CHECK(contradictions_in(snapshot).empty());
}

TEST_CASE("a batch is none that comes after the last one, and the last one leaves room for the next") {
    CHECK(after([](auto& snapshot) { snapshot.pipeline.last_batch = 2; }) ==
          "table batches, key 6c6578000000000000000003: batch 3, but the last one is 2");
    CHECK(after([](auto& snapshot) { snapshot.pipeline.last_batch = std::numeric_limits<BatchId>::max(); }) ==
          "table pipelines, key 6c6578: no batch can come after its last one");
}

TEST_CASE("only a committed batch may lie above high, since the pipeline may have begun again") {
    CHECK(after([](auto& snapshot) { snapshot.batches[1].revisions.insert(21); }) ==
          "table batches, key 6c6578000000000000000002: revisions up to 21, but high is 20");
    PipelineSnapshot snapshot = sound();
    snapshot.batches[0].revisions.insert(21);
    CHECK(contradictions_in(snapshot).empty());
}

TEST_CASE("a batch without revisions is one of the fill") {
    const auto is_fill = [](auto& snapshot) { snapshot.batches[2].revisions = {}; };
    CHECK(after(is_fill) ==
          "table batches, key 6c6578000000000000000003: it has no revisions, but there is no fill that it "
          "could be of");
    PipelineSnapshot snapshot = sound();
    is_fill(snapshot);
    snapshot.pipeline.fill = Fill{"[1]", 3};
    CHECK(contradictions_in(snapshot).empty());
}

TEST_CASE("a batch has at least as many rows as actions, before and after") {
    CHECK(after([](auto& snapshot) { snapshot.batches[2].content.removed = 1; }) ==
          "table batches, key 6c6578000000000000000003: 6 actions of 5 rows");
    CHECK(after([](auto& snapshot) { snapshot.batches[1].outcome.quarantined = 1; }) ==
          "table batches, key 6c6578000000000000000002: 3 actions are done, of 2 rows");
}

TEST_CASE("an outcome and the times come with their states") {
    CHECK(after([](auto& snapshot) { snapshot.batches[2].outcome.done = 1; }) ==
          "table batches, key 6c6578000000000000000003: in INTENT, but it has an outcome");
    CHECK(after([](auto& snapshot) { snapshot.batches[2].applied_at = 1; }) ==
          "table batches, key 6c6578000000000000000003: in INTENT, but it has an outcome");
    CHECK(after([](auto& snapshot) { snapshot.batches[1].committed_at = 1; }) ==
          "table batches, key 6c6578000000000000000002: not COMMITTED, but it has a time of that");
}

TEST_CASE("a journal whose checksums are right and whose records contradict each other is refused") {
    const TemporaryFolder folder;
    Pipeline pipeline;
    {
        auto writer = Writer::open(folder.journal());
        REQUIRE(writer);
        REQUIRE(writer->commit(std::vector<Change>{begin_of("lex"), open_of("lex", 1, 1, 10)}));
        pipeline = writer->read().value().at(0).pipeline;
    }
    std::string bytes = read_bytes(folder.journal() / "data.mdb");
    const std::string written = encode_pipeline(pipeline);
    pipeline.last_batch = 0;
    const auto at = bytes.find(written);
    REQUIRE(at != bytes.npos);
    write_bytes(folder.journal() / "data.mdb", bytes.replace(at, written.size(), encode_pipeline(pipeline)));
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    REQUIRE(contents->damages.size() == 1);
    CHECK(contents->damages[0].what == "batch 1, but the last one is 0");
    const auto writer = Writer::open(folder.journal());
    REQUIRE_FALSE(writer);
    CHECK_THAT(writer.error().message, Catch::Contains("is damaged: table batches"));
}
