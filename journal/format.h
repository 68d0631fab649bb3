// The numbers and names of the journal's file format. Nothing else; journal/FORMAT.md explains them.
// A number is never reused: a retired one stays here as a comment. 0 is never valid.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pawl::journal::format {

// The version that this pawl writes, and the newest that it reads. History: FORMAT.md, "Versions".
inline constexpr std::uint32_t version = 6;

// Files in the journal's folder.
inline constexpr std::string_view data_file = "data.mdb";          // LMDB
inline constexpr std::string_view lmdb_lock_file = "lock.mdb";     // LMDB's table of readers
inline constexpr std::string_view writer_lock_file = "pawl.lock";  // locked by the writer, holds its pid
inline constexpr std::string_view new_folder = "data.mdb.new";     // a journal that is being made
inline constexpr std::string_view damaged_prefix = "data.mdb.damaged-";  // set aside, then the time

// LMDB's named databases. The order of this enum is no part of the format, the names are.
enum class Table : std::uint8_t { meta, pipelines, gaps, batches, quarantine };
inline constexpr std::array<std::string_view, 5> table_names{"meta", "pipelines", "gaps", "batches",
                                                             "quarantine"};
// Retired before it was used: "outbox".

constexpr std::string_view name_of(Table table) {
    return table_names[static_cast<std::size_t>(table)];
}

// Keys of the table meta.
inline constexpr std::string_view header_key = "journal";
inline constexpr std::string_view commit_key = "commit";

// The first byte of every value.
enum class RecordType : std::uint8_t {
    header = 1,
    commit_1 = 2,    // of formats 1 to 4: read, not written any more
    pipeline_1 = 3,  // of format 1: read, not written any more
    gaps = 4,
    batch = 5,
    quarantine = 6,
    // 7, 8: retired before they were used (rows of an outbox, a rebuild).
    pipeline_2 = 9,   // of format 2: read, not written any more
    pipeline_3 = 10,  // of formats 3 to 5: read, not written any more
    commit = 11,      // since format 5
    pipeline = 12,    // since format 6
};

// The first bytes of the header record, "pawl" as text; then the version. They stay so in every format.
inline constexpr std::array<char, 4> magic{'p', 'a', 'w', 'l'};

// Flag bits.
inline constexpr std::uint8_t pipeline_has_checkpoint = 0x01;
inline constexpr std::uint8_t pipeline_has_fill = 0x02;  // since format 4
inline constexpr std::uint8_t quarantine_retry_requested = 0x01;

// Offsets of the fixed part of each value; FORMAT.md has the same as tables.
inline constexpr std::size_t type_offset = 0;
inline constexpr std::size_t checksum_bytes = 8;  // at the end of every value

namespace header {
inline constexpr std::size_t magic_offset = 1;
inline constexpr std::size_t version_offset = 5;
inline constexpr std::size_t created_at_offset = 9;
inline constexpr std::size_t fixed_bytes = 17;  // then text created_by
}  // namespace header

namespace commit {
inline constexpr std::size_t transaction_offset = 1;
inline constexpr std::size_t sum_offset = 9;  // not in commit_1
inline constexpr std::size_t fixed_bytes = 17;
}  // namespace commit

namespace pipeline {
inline constexpr std::size_t mode_offset = 1;
inline constexpr std::size_t condition_offset = 2;
inline constexpr std::size_t flags_offset = 3;
inline constexpr std::size_t last_batch_offset = 4;
inline constexpr std::size_t high_offset = 12;
inline constexpr std::size_t watermark_offset = 20;
inline constexpr std::size_t condition_since_offset = 28;
inline constexpr std::size_t checkpoint_revision_offset = 36;
inline constexpr std::size_t checkpoint_written_at_offset = 44;
inline constexpr std::size_t gaps_unproven_offset = 52;  // not in pipeline_1
inline constexpr std::size_t shape_offset = 60;          // not in pipeline_1 and pipeline_2
inline constexpr std::size_t anchor_count_offset = 68;
inline constexpr std::size_t fixed_bytes = 69;  // then anchors, six texts, the incidents, and the fill
inline constexpr std::size_t anchor_bytes = 16;
}  // namespace pipeline

namespace batch {
inline constexpr std::size_t state_offset = 1;
inline constexpr std::size_t rows_offset = 2;
inline constexpr std::size_t indexed_offset = 6;
inline constexpr std::size_t removed_offset = 10;
inline constexpr std::size_t invalid_offset = 14;
inline constexpr std::size_t digest_offset = 18;
inline constexpr std::size_t done_offset = 26;
inline constexpr std::size_t superseded_offset = 30;
inline constexpr std::size_t quarantined_offset = 34;
inline constexpr std::size_t intent_at_offset = 38;
inline constexpr std::size_t applied_at_offset = 46;
inline constexpr std::size_t committed_at_offset = 54;
inline constexpr std::size_t fixed_bytes = 62;  // then text index_uuid, then the revisions' intervals
}  // namespace batch

namespace quarantine {
inline constexpr std::size_t flags_offset = 1;
inline constexpr std::size_t revision_offset = 2;
inline constexpr std::size_t since_offset = 10;
inline constexpr std::size_t attempts_offset = 18;
inline constexpr std::size_t fixed_bytes = 22;  // then texts entity, error, reason
}  // namespace quarantine

// Keys: pipeline name, 0x00, then one of these.
inline constexpr std::size_t batch_id_bytes = 8;  // big-endian
inline constexpr std::size_t entity_digest_bytes =
    16;  // XXH3-128 of the entity's bytes, canonical (big-endian)

}  // namespace pawl::journal::format
