#include "journal/record.h"

#include "base/assert.h"

namespace pawl::journal {

std::string_view name_of(BatchState state) {
    switch (state) {
        case BatchState::intent:
            return "INTENT";
        case BatchState::applied:
            return "APPLIED";
        case BatchState::committed:
            return "COMMITTED";
    }
    PAWL_ASSERT(!"a batch state");
    return {};
}

std::string_view name_of(SourceMode mode) {
    switch (mode) {
        case SourceMode::revision:
            return "revision";
        case SourceMode::outbox:
            return "outbox";
    }
    PAWL_ASSERT(!"a source mode");
    return {};
}

std::string_view name_of(Condition condition) {
    switch (condition) {
        case Condition::running:
            return "RUNNING";
        case Condition::retrying:
            return "RETRYING";
        case Condition::forbidden:
            return "FORBIDDEN";
        case Condition::quarantine_full:
            return "QUARANTINE_FULL";
        case Condition::source_changed:
            return "SOURCE_CHANGED";
        case Condition::source_regressed:
            return "SOURCE_REGRESSED";
        case Condition::refused:
            return "REFUSED";
        case Condition::standby:
            return "STANDBY";
        case Condition::refill_needed:
            return "REFILL_NEEDED";
    }
    PAWL_ASSERT(!"a condition");
    return {};
}

}  // namespace pawl::journal
