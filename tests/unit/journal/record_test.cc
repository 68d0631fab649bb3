#include "journal/record.h"

#include <catch2/catch.hpp>

#include "journal/change.h"
#include "tests/unit/journal/support.h"

using namespace pawl::journal;

TEST_CASE("states, modes and conditions have the names that people read") {
    CHECK(name_of(BatchState::intent) == "INTENT");
    CHECK(name_of(BatchState::applied) == "APPLIED");
    CHECK(name_of(BatchState::committed) == "COMMITTED");
    CHECK(name_of(SourceMode::revision) == "revision");
    CHECK(name_of(SourceMode::outbox) == "outbox");
    CHECK(name_of(Condition::running) == "RUNNING");
    CHECK(name_of(Condition::retrying) == "RETRYING");
    CHECK(name_of(Condition::forbidden) == "FORBIDDEN");
    CHECK(name_of(Condition::quarantine_full) == "QUARANTINE_FULL");
    CHECK(name_of(Condition::source_changed) == "SOURCE_CHANGED");
    CHECK(name_of(Condition::source_regressed) == "SOURCE_REGRESSED");
    CHECK(name_of(Condition::refused) == "REFUSED");
    CHECK(name_of(Condition::standby) == "STANDBY");
    CHECK(name_of(Condition::refill_needed) == "REFILL_NEEDED");
}

TEST_CASE("a state that does not exist has no name and aborts") {
    CHECK(test::aborts([] { (void)name_of(static_cast<BatchState>(0)); }));
}
