// Reads a journal's data file page by page without LMDB: to look at it before LMDB may map it, and to show
// what is left of a damaged one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "journal/reader.h"

namespace pawl::journal {

enum class FileKind : std::uint8_t {
    journal,        // sound or damaged: see contents.damages
    newer_journal,  // contents.format says which; the rest of contents means nothing
    other_lmdb,     // an LMDB file of something else
    no_lmdb,        // neither of its first two pages can be made out
};

struct FileReading {
    FileKind kind = FileKind::journal;
    Contents contents;               // without writer_pid
    std::string why_none;            // with other_lmdb and no_lmdb
    bool changed_meanwhile = false;  // a writer is at work: the damages may be none
    bool read_failed = false;        // some damage is an error of the disk, perhaps only for now
};

// Errors, kind invalid: not there or not readable.
Result<FileReading> read_file(const std::filesystem::path& data_file);

// Why pawl does not take this file for a journal of its own; empty when it does. Kind storage.
std::optional<Error> refusal_of(const std::filesystem::path& data_file, const FileReading& reading);

// The error for a file of a newer format than this pawl's.
Error newer_format(const std::filesystem::path& data_file, std::uint32_t format);

// The error for a journal with these damages; there is at least one.
Error damage_error(const std::filesystem::path& folder, const std::vector<Damage>& damages);

}  // namespace pawl::journal
