#include "journal/assembler.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/core.h>

#include "journal/contradictions.h"
#include "journal/environment.h"
#include "journal/format.h"
#include "journal/limits.h"

namespace pawl::journal {

using format::Table;

void Assembler::add_damage(std::string where, std::string what) {
    if (damages_.size() < limits::damages_max) damages_.push_back({std::move(where), std::move(what)});
}

Assembler::Parts& Assembler::parts_of(const std::string& pipeline) {
    Parts& parts = pipelines_[pipeline];
    parts.snapshot.pipeline.name = pipeline;
    return parts;
}

void Assembler::add_meta(std::string_view key, std::string_view value) {
    const std::string_view table = name_of(Table::meta);
    if (key == format::header_key) {
        if (auto header = decode_header(key, value))
            header_ = std::move(*header);
        else
            add_damage(place_of(table, key), header.error().message);
    } else if (key == format::commit_key) {
        if (const auto commit = decode_commit(key, value))
            commit_ = *commit;
        else
            add_damage(place_of(table, key), commit.error().message);
    } else {
        add_damage(place_of(table, key), "its key is no key of this table");
    }
}

void Assembler::add(std::string_view table, std::string_view key, std::string_view value) {
    const auto unreadable = [&](const Error& error) { add_damage(place_of(table, key), error.message); };
    sum_ += sum_part_of(table, key, value);
    if (table == name_of(Table::meta)) {
        add_meta(key, value);
    } else if (table == name_of(Table::pipelines)) {
        auto pipeline = decode_pipeline(key, value);
        if (!pipeline) return unreadable(pipeline.error());
        Parts& parts = parts_of(pipeline->name);
        parts.known = true;
        parts.snapshot.pipeline = std::move(*pipeline);
    } else if (table == name_of(Table::gaps)) {
        auto gaps = decode_gaps(key, value);
        if (!gaps) return unreadable(gaps.error());
        parts_of(gaps->pipeline).snapshot.gaps = std::move(gaps->gaps);
    } else if (table == name_of(Table::batches)) {
        auto batch = decode_batch(key, value);
        if (!batch) return unreadable(batch.error());
        parts_of(batch->pipeline).snapshot.batches.push_back(std::move(*batch));
    } else if (table == name_of(Table::quarantine)) {
        auto entry = decode_quarantine(key, value);
        if (!entry) return unreadable(entry.error());
        parts_of(entry->pipeline).snapshot.quarantine.push_back(std::move(*entry));
    } else {
        add_damage(place_of(table, key), "the table is unknown");
    }
}

// A page from before a later change is whole: each of its records has a right checksum, and may contradict no
// other. The sum tells that records are missing, or there still. Beside another damage it would only say
// again that something is.
void Assembler::check_sum() {
    if (!damages_.empty() || !commit_ || !commit_->sum || *commit_->sum == sum_) return;
    add_damage(place_of(name_of(Table::meta), format::commit_key),
               fmt::format("its sum of all records' checksums is {:016x}, but the records that are there add "
                           "up to {:016x}: the disk has lost or mixed writes that it had promised to keep",
                           *commit_->sum, sum_));
}

Contents Assembler::finish() && {
    Contents contents;
    if (header_) {
        contents.format = header_->format;
        contents.created_at = header_->created_at;
        contents.created_by = header_->created_by;
    }
    for (auto& [name, parts] : pipelines_) {
        if (!parts.known)
            add_damage(fmt::format("pipeline {}", name),
                       "its own record is missing; batches or gaps of it are there");
        std::ranges::sort(parts.snapshot.batches, {}, &Batch::id);
        std::ranges::sort(
            parts.snapshot.quarantine, [](const QuarantineEntry& left, const QuarantineEntry& right) {
                return std::tie(left.entity, left.revision) < std::tie(right.entity, right.revision);
            });
        if (parts.known)
            for (Damage& contradiction : contradictions_in(parts.snapshot))
                add_damage(std::move(contradiction.where), std::move(contradiction.what));
        contents.pipelines.push_back(std::move(parts.snapshot));
    }
    check_sum();
    contents.damages = std::move(damages_);
    return contents;
}

Result<Contents> read_all(const Environment& environment) {
    auto transaction = environment.begin_read();
    if (!transaction) return std::unexpected(transaction.error());
    Assembler assembler;
    for (std::size_t i = 0; i < format::table_names.size(); ++i) {
        const auto table = static_cast<Table>(i);
        const auto read = transaction->each(table, {}, [&](std::string_view key, std::string_view value) {
            assembler.add(name_of(table), key, value);
        });
        if (!read) return std::unexpected(read.error());
    }
    return std::move(assembler).finish();
}

}  // namespace pawl::journal
