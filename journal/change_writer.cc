#include "journal/change_writer.h"

#include <algorithm>
#include <utility>

#include "base/failpoint.h"
#include "journal/limits.h"
#include "journal/transition.h"

namespace pawl::journal {
namespace {

using format::Table;

constexpr std::size_t pruned_per_commit_max = 1000;

std::unexpected<Error> unusable(Table table, std::string_view key, std::string_view why) {
    return std::unexpected(unusable_record(table, key, why));
}

// Reads and decodes the record that must be there.
template <class Decode>
auto read(Transaction& transaction, Table table, const std::string& key, Decode decode)
    -> decltype(decode(key, std::string_view())) {
    const auto value = transaction.get(table, key);
    if (!value) return std::unexpected(value.error());
    if (!*value) return unusable(table, key, "it is missing");
    auto record = decode(key, **value);
    if (!record) return unusable(table, key, record.error().message);
    return record;
}

}  // namespace

Result<void> ChangeWriter::write(const Change& change) {
    return std::visit([this](const auto& one) { return write_one(one); }, change);
}

Result<Pipeline> ChangeWriter::pipeline(const std::string& name) {
    return read(transaction_, Table::pipelines, pipeline_key(name), decode_pipeline);
}

Result<void> ChangeWriter::put(const Pipeline& pipeline) {
    return transaction_.put(Table::pipelines, pipeline_key(pipeline.name), encode_pipeline(pipeline));
}

Result<Batch> ChangeWriter::batch(const std::string& pipeline, BatchId id) {
    return read(transaction_, Table::batches, batch_key(pipeline, id), decode_batch);
}

Result<void> ChangeWriter::put(const Batch& batch) {
    return transaction_.put(Table::batches, batch_key(batch.pipeline, batch.id), encode_batch(batch));
}

// Gaps can be many and change seldom, so they are written only when they differ.
Result<void> ChangeWriter::put_gaps(const std::string& pipeline, const IntervalSet& gaps) {
    const std::string key = pipeline_key(pipeline);
    if (gaps.empty()) return transaction_.erase(Table::gaps, key);
    const std::string wanted = encode_gaps(pipeline, gaps);
    const auto present = transaction_.get(Table::gaps, key);
    if (!present) return std::unexpected(present.error());
    if (*present && **present == wanted) return {};
    return transaction_.put(Table::gaps, key, wanted);
}

std::deque<BatchId>& ChangeWriter::committed_of(const std::string& pipeline) {
    const auto known = committed_.find(pipeline);
    const auto [changed, is_new] = changed_.try_emplace(pipeline);
    if (is_new && known != committed_.end()) changed->second = known->second;
    return changed->second;
}

Result<void> ChangeWriter::forget_open_batches(const std::string& pipeline) {
    std::vector<std::string> keys;
    const auto read_all = transaction_.each(Table::batches, records_prefix(pipeline),
                                            [&](std::string_view key, std::string_view value) {
                                                if (peek_state(value) != BatchState::committed)
                                                    keys.emplace_back(key);
                                            });
    if (!read_all) return read_all;
    for (const std::string& key : keys)
        if (auto erased = transaction_.erase(Table::batches, key); !erased) return erased;
    return {};
}

Result<std::optional<Pipeline>> ChangeWriter::pipeline_if_known(const std::string& name) {
    const std::string key = pipeline_key(name);
    const auto value = transaction_.get(Table::pipelines, key);
    if (!value) return std::unexpected(value.error());
    if (!*value) return std::nullopt;
    auto decoded = decode_pipeline(key, **value);
    if (!decoded) return unusable(Table::pipelines, key, decoded.error().message);
    return std::move(*decoded);
}

Result<void> ChangeWriter::write_one(const BeginPipeline& change) {
    const auto before = pipeline_if_known(change.pipeline);
    if (!before) return std::unexpected(before.error());
    if (auto forgotten = forget_open_batches(change.pipeline); !forgotten) return forgotten;
    if (auto written = put_gaps(change.pipeline, change.gaps); !written) return written;
    return put(begin(*before ? &**before : nullptr, change));
}

Result<void> ChangeWriter::write_one(const OpenBatch& change) {
    auto pipeline = this->pipeline(change.batch.pipeline);
    if (!pipeline) return std::unexpected(pipeline.error());
    open(*pipeline, change);
    if (auto written = put(*pipeline); !written) return written;
    if (auto written = put_gaps(pipeline->name, change.gaps); !written) return written;
    return put(change.batch);
}

Result<void> ChangeWriter::write_one(const ApplyBatch& change) {
    auto batch = this->batch(change.pipeline, change.batch);
    if (!batch) return std::unexpected(batch.error());
    apply(*batch, change);
    if (!change.released.empty()) {
        const auto keys = quarantine_keys(change.pipeline, change.released);
        if (!keys) return std::unexpected(keys.error());
        for (const std::string& key : *keys)
            if (auto erased = transaction_.erase(Table::quarantine, key); !erased) return erased;
    }
    for (const QuarantineEntry& entry : change.quarantined) {
        const std::string key = quarantine_key(entry.pipeline, entry.entity);
        auto written = transaction_.put(Table::quarantine, key, encode_quarantine(key, as_kept(entry)));
        if (!written) return written;
        failpoint::at("during:quarantine");
    }
    if (change.anchor) {
        auto pipeline = this->pipeline(change.pipeline);
        if (!pipeline) return std::unexpected(pipeline.error());
        keep_anchor(*pipeline, *change.anchor);
        if (auto written = put(*pipeline); !written) return written;
    }
    return put(*batch);
}

Result<void> ChangeWriter::write_one(const CommitBatches& change) {
    std::deque<BatchId>& committed = committed_of(change.pipeline);
    for (const BatchId id : change.batches) {
        auto batch = this->batch(change.pipeline, id);
        if (!batch) return std::unexpected(batch.error());
        commit(*batch, change.at);
        if (auto written = put(*batch); !written) return written;
        committed.insert(std::ranges::upper_bound(committed, id), id);
    }
    auto pipeline = this->pipeline(change.pipeline);
    if (!pipeline) return std::unexpected(pipeline.error());
    if (pipeline->watermark != change.watermark || pipeline->fill != change.fill) {
        move_watermark(*pipeline, change.watermark);
        move_fill(*pipeline, change.fill);
        if (auto written = put(*pipeline); !written) return written;
    }
    return prune(change.pipeline, committed);
}

Result<void> ChangeWriter::prune(const std::string& pipeline, std::deque<BatchId>& committed) {
    for (std::size_t i = 0; i < pruned_per_commit_max && committed.size() > limits::committed_kept_max; ++i) {
        failpoint::at("before:prune");
        if (auto erased = transaction_.erase(Table::batches, batch_key(pipeline, committed.front())); !erased)
            return erased;
        committed.pop_front();
        failpoint::at("after:prune");
    }
    return {};
}

Result<void> ChangeWriter::write_one(const CloseGaps& change) {
    auto pipeline = this->pipeline(change.pipeline);
    if (!pipeline) return std::unexpected(pipeline.error());
    close_gaps(*pipeline, change);
    if (auto written = put_gaps(change.pipeline, change.gaps); !written) return written;
    return put(*pipeline);
}

Result<void> ChangeWriter::write_one(const SetCondition& change) {
    auto known = pipeline_if_known(change.pipeline);
    if (!known) return std::unexpected(known.error());
    Pipeline pipeline = *known ? std::move(**known) : unknown_pipeline(change.pipeline);
    set_condition(pipeline, change);
    return put(pipeline);
}

Result<std::vector<std::string>> ChangeWriter::quarantine_keys(const std::string& pipeline,
                                                               const std::vector<std::string>& entities) {
    std::vector<std::string> keys;
    // An id as long as this may be what is left of a longer one, whose digest nobody knows any more.
    std::vector<std::string_view> perhaps_cut;
    for (const std::string& entity : entities) {
        keys.push_back(quarantine_key(pipeline, entity));
        if (entity.size() == limits::entity_bytes_max) perhaps_cut.push_back(entity);
    }
    if (!entities.empty() && perhaps_cut.empty()) return keys;
    const auto read_all = transaction_.each(
        Table::quarantine, records_prefix(pipeline), [&](std::string_view key, std::string_view value) {
            const auto entry = entities.empty() ? Result<QuarantineEntry>() : decode_quarantine(key, value);
            const bool wanted = entities.empty() ||
                                (entry && std::ranges::find(perhaps_cut, entry->entity) != perhaps_cut.end());
            if (wanted) keys.emplace_back(key);
        });
    if (!read_all) return std::unexpected(read_all.error());
    return keys;
}

Result<void> ChangeWriter::write_one(const RetryQuarantine& change) {
    const auto keys = quarantine_keys(change.pipeline, change.entities);
    if (!keys) return std::unexpected(keys.error());
    for (const std::string& key : *keys) {
        const auto value = transaction_.get(Table::quarantine, key);
        if (!value) return std::unexpected(value.error());
        if (!*value) continue;
        auto entry = decode_quarantine(key, **value);
        if (!entry) return unusable(Table::quarantine, key, entry.error().message);
        entry->retry_requested = true;
        if (auto written = transaction_.put(Table::quarantine, key, encode_quarantine(key, *entry)); !written)
            return written;
    }
    return {};
}

Result<void> ChangeWriter::write_one(const DropQuarantine& change) {
    const auto keys = quarantine_keys(change.pipeline, change.entities);
    if (!keys) return std::unexpected(keys.error());
    for (const std::string& key : *keys)
        if (auto erased = transaction_.erase(Table::quarantine, key); !erased) return erased;
    return {};
}

template <class OneChange>
Result<void> ChangeWriter::change_pipeline(const OneChange& change,
                                           void (*transition)(Pipeline&, const OneChange&)) {
    auto pipeline = this->pipeline(change.pipeline);
    if (!pipeline) return std::unexpected(pipeline.error());
    transition(*pipeline, change);
    return put(*pipeline);
}

Result<void> ChangeWriter::write_one(const RecordCheckpoint& change) {
    return change_pipeline(change, record_checkpoint);
}

Result<void> ChangeWriter::write_one(const SetShape& change) {
    return change_pipeline(change, set_shape);
}

Result<void> ChangeWriter::write_one(const NoteIncident& change) {
    return change_pipeline(change, note_incident);
}

}  // namespace pawl::journal
