#include "journal/change.h"

#include <catch2/catch.hpp>

using namespace pawl::journal;

TEST_CASE("every change has a name of its own") {
    CHECK(name_of(BeginPipeline{}) == "begin_pipeline");
    CHECK(name_of(OpenBatch{}) == "open_batch");
    CHECK(name_of(ApplyBatch{}) == "apply_batch");
    CHECK(name_of(CommitBatches{}) == "commit_batches");
    CHECK(name_of(CloseGaps{}) == "close_gaps");
    CHECK(name_of(SetCondition{}) == "set_condition");
    CHECK(name_of(RetryQuarantine{}) == "retry_quarantine");
    CHECK(name_of(DropQuarantine{}) == "drop_quarantine");
}
