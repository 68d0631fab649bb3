// Looks into a journal without changing anything: a live one, a copied one, one from a crash, a damaged one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/record.h"

namespace pawl::journal {

// A record or page that could not be read, and why. The rest is shown all the same.
struct Damage {
    std::string where;  // "table batches, key 6c6578000000000000000011" or "page 7"
    std::string what;   // "checksum differs", "cut short at 12 of 40 bytes", …
};

struct Contents {
    std::uint32_t format = 0;  // of the file; 0 when that could not be read
    TimeMs created_at = 0;
    std::string created_by;                   // "pawl 0.1.0"
    std::vector<PipelineSnapshot> pipelines;  // by name
    std::vector<Damage> damages;
    std::optional<int> writer_pid;  // of the pawl that has it open now

    const PipelineSnapshot* find(std::string_view pipeline) const;  // null: the journal does not know it
};

// One consistent moment of the journal. Never blocks the writer and is never blocked by it. Without write
// permission for the folder (a copy, a read-only file system) it reads all the same.
// Errors: the folder or file is not there or not readable (invalid), the format is newer (storage), it is not
// a journal at all (storage). Damage is no error: it is listed in Contents.
Result<Contents> read_journal(const std::filesystem::path& folder);

}  // namespace pawl::journal
