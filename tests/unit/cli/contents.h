// A journal as the tests show it: one pipeline with a batch in each state.
#pragma once

#include "journal/reader.h"

namespace pawl::test {

inline constexpr TimeMs noon = 1'795'521'600'000;  // 2026-11-24T12:00:00Z

inline journal::Batch batch(journal::BatchId id, journal::BatchState state, journal::IntervalSet revisions) {
    journal::Batch made;
    made.id = id;
    made.pipeline = "lex";
    made.state = state;
    made.revisions = std::move(revisions);
    made.content = {.rows = 500, .indexed = 480, .removed = 15, .invalid = 1, .digest = 0x1f};
    made.index_uuid = "uuid-1";
    made.intent_at = noon;
    if (state != journal::BatchState::intent) {
        made.outcome = {.done = 490, .superseded = 5, .quarantined = 1};
        made.applied_at = noon + 120;
    }
    if (state == journal::BatchState::committed) made.committed_at = noon + 2'500;
    return made;
}

inline journal::Contents some_contents() {
    journal::PipelineSnapshot snapshot;
    journal::Pipeline& pipeline = snapshot.pipeline;
    pipeline.name = "lex";
    pipeline.source = {journal::SourceMode::revision, "karp", "lex"};
    pipeline.target = {"lex", "lex-20261124t115900z", "uuid-1"};
    pipeline.last_batch = 17;
    pipeline.high = 2'000;
    pipeline.watermark = 501;
    pipeline.gaps_unproven = 3;
    pipeline.checkpoint = journal::Checkpoint{400, noon - 1'000};
    pipeline.anchors = {{400, 0x2a}, {2'000, 0x2b}};
    pipeline.shape = 0x2c;
    pipeline.incidents = {{1, noon - 30'000, "R10", "the index is not the journal's"}};
    pipeline.condition = journal::Condition::retrying;
    pipeline.condition_detail = "elasticsearch: connection refused";
    pipeline.condition_since = noon;
    snapshot.gaps = journal::IntervalSet({{502, 502}, {600, 609}});
    snapshot.batches = {
        batch(15, journal::BatchState::committed, journal::IntervalSet({{1, 501}})),
        batch(16, journal::BatchState::applied, journal::IntervalSet({{503, 599}, {610, 900}})),
        batch(17, journal::BatchState::intent,
              journal::IntervalSet({{901, 1'000}, {1'002, 1'002}, {1'004, 1'100}, {1'102, 2'000}})),
    };
    snapshot.quarantine = {{"lex", "a\nb", 77, "mapper_parsing_exception", "no such date", noon, 2, true}};

    journal::Contents contents;
    contents.format = 3;
    contents.created_at = noon - 60'000;
    contents.created_by = "pawl 0.1.0";
    contents.pipelines.push_back(std::move(snapshot));
    contents.writer_pid = 4'711;
    return contents;
}

}  // namespace pawl::test
