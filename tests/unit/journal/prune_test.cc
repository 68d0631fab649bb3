#include <catch2/catch.hpp>

#include "journal/limits.h"
#include "journal/writer.h"
#include "tests/unit/journal/support.h"

using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

std::size_t batches_in(const Writer& writer) {
    return writer.read().value().at(0).batches.size();
}

}  // namespace

TEST_CASE("more committed batches than one commit takes away go with the next one") {
    constexpr BatchId batches = 1'300;
    constexpr std::size_t pruned_per_commit = 1'000;
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    std::vector<Change> opened{begin_of("lex")};
    CommitBatches committed{"lex", {}, batches, 9'000};
    for (BatchId id = 1; id <= batches; ++id) {
        const OpenBatch open = open_of("lex", id, id, id);
        opened.emplace_back(open);
        opened.emplace_back(apply_of(open));
        committed.batches.push_back(id);
    }
    REQUIRE(writer->commit(opened));
    REQUIRE(writer->commit(std::vector<Change>{committed}));
    CHECK(batches_in(*writer) == batches - pruned_per_commit);
    const OpenBatch next = open_of("lex", batches + 1, batches + 1, batches + 1);
    REQUIRE(writer->commit(std::vector<Change>{next, apply_of(next), commit_of(next)}));
    CHECK(batches_in(*writer) == limits::committed_kept_max);
    CHECK(writer->read().value().at(0).batches.back().id == batches + 1);
}
