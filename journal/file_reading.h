// Reads a journal's data file page by page without LMDB: to look at it before LMDB may map it, and to show
// what is left of a damaged one.
#pragma once

#include <filesystem>

#include "journal/reader.h"

namespace pawl::journal {

struct FileReading {
    Contents contents;               // without writer_pid
    bool changed_meanwhile = false;  // a writer is at work: the damages may be none
};

// Errors: not there or not readable (invalid); no journal at all, or of a newer format (storage).
Result<FileReading> read_file(const std::filesystem::path& data_file);

// The error for a file of a newer format than this pawl's.
Error newer_format(const std::filesystem::path& data_file, std::uint32_t format);

}  // namespace pawl::journal
