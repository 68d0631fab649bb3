// Takes a journal that is not to be used any more out of the way: under another name in its folder, with all
// its bytes. Nothing is deleted but LMDB's table of readers, and nothing is written into the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace pawl::journal {

struct SetAside {
    std::filesystem::path file;  // where it is now: "…/data.mdb.damaged-20261124t181204z"
    std::string damage;          // the first one; empty: it was sound, or of a newer format
};

enum class SetAsideWhen : std::uint8_t {
    // Only what is damaged for certain: not a newer format, another program's file, a file that cannot be
    // read at the moment, nor anything on a full disk. Those are left to Writer::open and its errors.
    damaged,
    // Whatever state it is in, but not a file that is an LMDB environment of something else.
    asked_for,
};

// Takes the writer's lock for as long as it works. `now` names the file; an earlier one of that name is left
// alone, and this one gets a number. On success the new name is on disk, with the file's mode as it was.
// Nothing: there is no journal, or it is not to be set aside by `when`. Errors: another process holds the
// lock (decision); the file cannot be renamed, is another program's, or is damaged on a full disk (storage).
Result<std::optional<SetAside>> set_aside(const std::filesystem::path& folder, SetAsideWhen when, TimeMs now);

}  // namespace pawl::journal
