// Makes an empty journal: complete or not at all, so that a data file that is cut short is never taken for a
// new one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "journal/codec.h"

namespace pawl::journal {

// Makes the folder itself (0700) when it is missing; its parent must be there. Gives warnings about a folder
// that was there before and that others may look into: it may be somebody's on purpose, so its mode is left
// alone. Errors, kind storage: it cannot be made, it is no folder.
Result<std::vector<std::string>> prepare_folder(const std::filesystem::path& folder);

// The data file with its tables and header, made aside and renamed (0600). The caller holds the writer's
// lock, and there is no data file yet. On success it is on disk. Errors: kind storage.
Result<void> make_journal(const std::filesystem::path& folder, const Header& header);

// The names in a folder as they are now are on disk. 0 or the errno of what failed.
int sync_folder(const std::filesystem::path& folder);

// What a reader of the data file sees is on disk, and the file's name and its folder's too: a process that
// was killed may have left something that only the page cache knows. Errors: kind storage.
Result<void> sync_journal(const std::filesystem::path& folder);

}  // namespace pawl::journal
