// Records and names as RapidCheck makes them.
#pragma once

#include <string>

#include <rapidcheck.h>

#include "journal/interval_set.h"
#include "journal/limits.h"
#include "journal/record.h"

namespace pawl::journal::test {

inline rc::Gen<std::string> text_up_to(std::size_t bytes_max) {
    return rc::gen::map(rc::gen::arbitrary<std::string>(), [bytes_max](std::string text) {
        text.resize(std::min(text.size(), bytes_max));
        return text;
    });
}

// Any bytes but NUL, never empty.
inline rc::Gen<std::string> pipeline_name() {
    return rc::gen::map(text_up_to(limits::pipeline_name_bytes_max), [](std::string name) {
        for (char& byte : name)
            if (byte == '\0') byte = '-';
        return name.empty() ? std::string("lex") : name;
    });
}

// Small ones, so that intervals meet, and some at the end of the range.
inline rc::Gen<Revision> any_revision() {
    return rc::gen::oneOf(rc::gen::inRange<Revision>(1, 200), rc::gen::inRange<Revision>(1, revision_max),
                          rc::gen::inRange<Revision>(revision_max - 100, revision_max));
}

inline rc::Gen<IntervalSet> any_set() {
    const auto interval = rc::gen::map(rc::gen::pair(any_revision(), rc::gen::inRange<Revision>(0, 12)),
                                       [](const std::pair<Revision, Revision>& parts) {
                                           const Revision last =
                                               std::min(parts.first + parts.second, revision_max);
                                           return Interval{parts.first, last};
                                       });
    return rc::gen::map(rc::gen::container<std::vector<Interval>>(interval),
                        [](const std::vector<Interval>& intervals) { return IntervalSet(intervals); });
}

inline Batch any_batch() {
    Batch batch;
    batch.id = *rc::gen::inRange<BatchId>(1, ~BatchId{0});
    batch.pipeline = *pipeline_name();
    batch.state = *rc::gen::element(BatchState::intent, BatchState::applied, BatchState::committed);
    batch.revisions = *any_set();  // none: rows of a fill
    batch.content = {*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint32_t>(),
                     *rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint32_t>(),
                     *rc::gen::arbitrary<std::uint64_t>()};
    batch.outcome = {*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint32_t>(),
                     *rc::gen::arbitrary<std::uint32_t>()};
    batch.index_uuid = *text_up_to(limits::identity_bytes_max);
    batch.intent_at = *rc::gen::arbitrary<TimeMs>();
    batch.applied_at = *rc::gen::arbitrary<TimeMs>();
    batch.committed_at = *rc::gen::arbitrary<TimeMs>();
    return batch;
}

inline Pipeline any_pipeline() {
    Pipeline pipeline;
    pipeline.name = *pipeline_name();
    pipeline.source.mode = *rc::gen::element(SourceMode::revision, SourceMode::outbox);
    pipeline.source.database = *text_up_to(limits::identity_bytes_max);
    pipeline.source.table = *text_up_to(limits::identity_bytes_max);
    pipeline.target = {*text_up_to(limits::identity_bytes_max), *text_up_to(limits::identity_bytes_max),
                       *text_up_to(limits::identity_bytes_max)};
    pipeline.last_batch = *rc::gen::arbitrary<BatchId>();
    pipeline.high = *any_revision();
    pipeline.watermark = *rc::gen::inRange<Revision>(0, pipeline.high + 1);
    if (*rc::gen::arbitrary<bool>()) pipeline.checkpoint = {*any_revision(), *rc::gen::arbitrary<TimeMs>()};
    pipeline.gaps_unproven = *rc::gen::arbitrary<std::uint64_t>();
    const auto anchors = *rc::gen::inRange<std::size_t>(0, limits::anchors_max + 1);
    for (std::size_t i = 0; i < anchors; ++i)
        pipeline.anchors.push_back({*any_revision(), *rc::gen::arbitrary<std::uint64_t>()});
    pipeline.condition = static_cast<Condition>(*rc::gen::inRange(1, 1 + static_cast<int>(last_condition)));
    pipeline.condition_detail = *text_up_to(limits::reason_bytes_max);
    pipeline.condition_since = *rc::gen::arbitrary<TimeMs>();
    pipeline.shape = *rc::gen::arbitrary<std::uint64_t>();
    const auto incidents = *rc::gen::inRange<std::size_t>(0, limits::incidents_kept_max + 1);
    for (std::size_t i = 0; i < incidents; ++i)
        pipeline.incidents.push_back({*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<TimeMs>(),
                                      *text_up_to(limits::incident_label_bytes_max),
                                      *text_up_to(limits::incident_text_bytes_max)});
    if (*rc::gen::arbitrary<bool>())
        pipeline.fill = Fill{*text_up_to(limits::position_bytes_max), *rc::gen::arbitrary<std::uint64_t>()};
    return pipeline;
}

inline QuarantineEntry any_entry() {
    QuarantineEntry entry;
    entry.pipeline = *pipeline_name();
    entry.entity = *rc::gen::oneOf(text_up_to(limits::entity_bytes_max),
                                   rc::gen::just(std::string(limits::entity_bytes_max, 'e')));
    entry.revision = *any_revision();
    entry.error = *text_up_to(limits::reason_bytes_max);
    entry.reason = *text_up_to(limits::reason_bytes_max);
    entry.since = *rc::gen::arbitrary<TimeMs>();
    entry.attempts = *rc::gen::arbitrary<std::uint32_t>();
    entry.retry_requested = *rc::gen::arbitrary<bool>();
    return entry;
}

}  // namespace pawl::journal::test
