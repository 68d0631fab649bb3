// Any bytes as a journal's data.mdb, mostly damaged ones (journal_mutator.h). What must hold: the reader
// gives an Error or a list of damages, and then the writer refuses the file and leaves it as it is; or both
// take it, with the same contents, which can be encoded again and do not contradict themselves. What the
// writer takes, it can go on writing, LMDB included, and the result is a sound journal again.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "fuzz/folder.h"
#include "fuzz/journal_mutator.h"
#include "fuzz/judge.h"
#include "journal/codec.h"
#include "journal/format.h"
#include "journal/reader.h"
#include "journal/writer.h"

using namespace pawl;
using namespace pawl::journal;

namespace {

const std::string data_file(format::data_file);

void check_error(const Error& error) {
    PAWL_ASSERT(error.kind == ErrorKind::storage && !error.message.empty() && !error.advice.empty());
}

void check_damages(const std::vector<Damage>& damages) {
    PAWL_ASSERT(damages.size() <= limits::damages_max);
    for (const Damage& damage : damages) {
        PAWL_ASSERT(!damage.where.empty() && !damage.what.empty());
        PAWL_ASSERT(damage.where.size() + damage.what.size() <= 2048);
    }
}

// Each record is one that the journal could have written, also beside damages.
void check_encodable(const PipelineSnapshot& snapshot) {
    const Pipeline& pipeline = snapshot.pipeline;
    PAWL_ASSERT(decode_pipeline(pipeline_key(pipeline.name), encode_pipeline(pipeline)) == pipeline);
    const auto gaps = decode_gaps(pipeline.name, encode_gaps(pipeline.name, snapshot.gaps));
    PAWL_ASSERT(gaps && gaps->gaps == snapshot.gaps);
    for (const Batch& batch : snapshot.batches)
        PAWL_ASSERT(decode_batch(batch_key(batch.pipeline, batch.id), encode_batch(batch)) == batch);
    for (const QuarantineEntry& entry : snapshot.quarantine) {
        const std::string key = quarantine_key(entry.pipeline, entry.entity);
        PAWL_ASSERT(decode_quarantine(key, encode_quarantine(key, entry)) == entry);
    }
}

// Nothing but what the transitions let be written (journal/transition.h asserts the same).
void check_consistent(const PipelineSnapshot& snapshot) {
    const Pipeline& pipeline = snapshot.pipeline;
    PAWL_ASSERT(pipeline.watermark <= pipeline.high && pipeline.last_batch != ~BatchId{0});
    PAWL_ASSERT(snapshot.gaps.empty() || snapshot.gaps.lowest() > pipeline.watermark);
    PAWL_ASSERT(snapshot.gaps.empty() || snapshot.gaps.highest() <= pipeline.high);
    BatchId previous = 0;
    for (const Batch& batch : snapshot.batches) {
        PAWL_ASSERT(batch.id > previous && batch.id <= pipeline.last_batch);
        previous = batch.id;
        const auto& content = batch.content;
        const auto& outcome = batch.outcome;
        PAWL_ASSERT(content.rows >= std::uint64_t{content.indexed} + content.removed + content.invalid);
        PAWL_ASSERT(content.rows >= std::uint64_t{outcome.done} + outcome.superseded + outcome.quarantined);
        if (batch.state != BatchState::committed)
            PAWL_ASSERT(batch.revisions.empty() ? pipeline.fill.has_value()
                                                : batch.revisions.highest() <= pipeline.high);
        PAWL_ASSERT(batch.state != BatchState::intent ||
                    (outcome == BatchOutcome{} && batch.applied_at == 0));
        PAWL_ASSERT(batch.state == BatchState::committed || batch.committed_at == 0);
    }
}

bool equal(const std::vector<PipelineSnapshot>& left, const std::vector<PipelineSnapshot>& right) {
    return std::ranges::equal(left, right, [](const PipelineSnapshot& one, const PipelineSnapshot& other) {
        return one.pipeline == other.pipeline && one.gaps == other.gaps && one.batches == other.batches &&
               one.quarantine == other.quarantine;
    });
}

// Steps on from whatever the journal holds: every open batch ends, a new one begins, gaps close, quarantine
// goes.
std::vector<Change> next_changes(const PipelineSnapshot& snapshot) {
    const Pipeline& pipeline = snapshot.pipeline;
    std::vector<Change> changes;
    for (const Batch& batch : snapshot.batches) {
        if (batch.state == BatchState::intent) {
            ApplyBatch apply{.pipeline = pipeline.name,
                             .batch = batch.id,
                             .outcome = {},
                             .quarantined = {},
                             .released = {},
                             .at = 9};
            apply.outcome.done = batch.content.indexed;
            changes.emplace_back(apply);
        }
        if (batch.state != BatchState::committed)
            changes.emplace_back(CommitBatches{pipeline.name, {batch.id}, pipeline.watermark, 10});
    }
    changes.emplace_back(CloseGaps{pipeline.name, {}, pipeline.high});
    changes.emplace_back(RetryQuarantine{pipeline.name, {}});
    changes.emplace_back(DropQuarantine{pipeline.name, {}});
    if (pipeline.high == revision_max) return changes;
    OpenBatch open;
    open.batch.pipeline = pipeline.name;
    open.batch.id = pipeline.last_batch + 1;
    open.high = pipeline.high + 1;
    open.batch.revisions.insert(open.high);
    open.batch.content.rows = 1;
    changes.emplace_back(std::move(open));
    return changes;
}

// A full map is no bug: a file may say that it is nearly as large as a journal may be.
bool is_full(const Error& error) {
    return error.message.find("full") != std::string::npos || error.message.find("FULL") != std::string::npos;
}

void write_on(Writer writer, const std::vector<PipelineSnapshot>& snapshots) {
    const auto read = writer.read();
    PAWL_ASSERT(read && equal(*read, snapshots));
    for (const PipelineSnapshot& snapshot : snapshots) {
        const auto committed = writer.commit(next_changes(snapshot));
        if (!committed) {
            PAWL_ASSERT(is_full(committed.error()));
            return;
        }
    }
    const auto committed = writer.commit(std::vector<Change>{BeginPipeline{.pipeline = "new", .at = 1}});
    PAWL_ASSERT(committed || is_full(committed.error()));
}

// What must hold of a file without damages.
void check_sound(Result<Writer> writer, const Contents& contents) {
    PAWL_ASSERT(contents.format >= 1 && contents.format <= format::version);
    for (const PipelineSnapshot& snapshot : contents.pipelines)
        check_consistent(snapshot);
    // Opening an older format to write is a transaction.
    if (!writer && contents.format < format::version && is_full(writer.error())) return;
    PAWL_ASSERT(writer.has_value());
    write_on(std::move(*writer), contents.pipelines);
    const auto after = read_journal(fuzz::folder());
    PAWL_ASSERT(after && after->damages.empty());
    for (const PipelineSnapshot& snapshot : after->pipelines)
        check_consistent(snapshot);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto& folder = fuzz::folder();
    fuzz::write_bytes(folder / data_file, bytes);
    const auto contents = read_journal(folder);
    if (contents) {
        check_damages(contents->damages);
        PAWL_ASSERT(std::ranges::is_sorted(contents->pipelines, {},
                                           [](const auto& one) { return one.pipeline.name; }));
        for (const PipelineSnapshot& snapshot : contents->pipelines)
            check_encodable(snapshot);
    } else {
        check_error(contents.error());
    }
    auto writer = Writer::open(folder);
    if (contents && contents->damages.empty()) {
        check_sound(std::move(writer), *contents);
    } else {
        PAWL_ASSERT(!writer);
        check_error(writer.error());
        PAWL_ASSERT(fuzz::read_bytes(folder / data_file) == bytes);
    }
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t size_max,
                                               unsigned seed) {
    return fuzz::mutate_journal(data, size, size_max, seed);
}
