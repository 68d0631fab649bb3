// What the golden journals hold. Each was written once by make_golden, and is read by every build.
#pragma once

#include <vector>

#include "journal/change.h"
#include "tests/unit/journal/support.h"

namespace pawl::journal::test {

inline std::vector<Change> golden_changes(std::uint32_t format) {
    OpenBatch first = open_of("lex", 1, 1, 10);
    ApplyBatch applied = apply_of(first);
    applied.outcome = {7, 1, 2};
    applied.quarantined = {entry_of("lex", "katt..nn.1", 3), entry_of("lex", std::string(1'500, 'k'), 4)};
    OpenBatch second = open_of("lex", 2, 14, 20);
    second.gaps = IntervalSet({{11, 13}});
    OpenBatch third = open_of("lex", 3, 25, 40);
    third.gaps = IntervalSet({{11, 13}, {21, 24}});
    for (Revision revision = 100; revision < 20'000; revision += 7)
        third.batch.revisions.insert(revision);
    third.high = 20'000;
    third.batch.content.rows = 5'000;
    BeginPipeline outbox = begin_of("saldo", 7);
    outbox.source.mode = SourceMode::outbox;
    std::vector<Change> changes{
        begin_of("lex"),
        first,
        applied,
        CommitBatches{"lex", {1}, 10, 3'000},
        second,
        apply_of(second),
        third,
        RetryQuarantine{"lex", {"katt..nn.1"}},
        outbox,
        SetCondition{"saldo", Condition::forbidden, "the user pawl may not read karp.saldo", 4'000}};
    if (format >= 2) changes.emplace_back(CloseGaps{"lex", IntervalSet({{11, 13}, {23, 24}}), 10, 2});
    if (format >= 3) {
        changes.emplace_back(RecordCheckpoint{"lex", {10, 5'000}});
        changes.emplace_back(SetShape{"lex", 0x0123456789abcdef, {{9, 90}, {20'000, 91}}});
        changes.emplace_back(NoteIncident{"lex", "R10", "the alias leads to another index", 6'000});
        changes.emplace_back(SetCondition{"waits", Condition::standby, "another pawl feeds it", 7'000});
    }
    if (format >= 4) {
        outbox.fill = Fill{};
        changes.emplace_back(outbox);
        OpenBatch rows = open_of("saldo", 1, 1, 1);
        rows.batch.revisions = {};
        rows.high = 7;
        changes.emplace_back(rows);
        changes.emplace_back(apply_of(rows));
        changes.emplace_back(CommitBatches{"saldo", {1}, 7, 8'000, Fill{"[\"katt\"]", 5}});
    }
    return changes;
}

}  // namespace pawl::journal::test
