#include "journal/set_aside.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include <fmt/core.h>

#include "journal/environment.h"
#include "journal/file_reading.h"
#include "journal/format.h"
#include "journal/lock.h"
#include "journal/new_journal.h"

namespace pawl::journal {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& file) {
    struct stat status{};
    return ::lstat(file.c_str(), &status) == 0;
}

// "20261124t181204z"
std::string compact(TimeMs time) {
    std::string text;
    for (const char letter : to_iso8601(time).substr(0, 19))
        if (letter != '-' && letter != ':') text += letter == 'T' ? 't' : letter;
    return text + "z";
}

// A name that is free. Only who holds the writer's lock makes such names, so it stays free.
fs::path free_name(const fs::path& folder, TimeMs now) {
    const std::string name = fmt::format("{}{}", format::damaged_prefix, compact(now));
    fs::path file = folder / name;
    for (int number = 2; is_there(file); ++number)
        file = folder / fmt::format("{}-{}", name, number);
    return file;
}

std::string damage_in(const FileReading& reading) {
    if (reading.kind == FileKind::no_lmdb) return reading.why_none;
    if (reading.kind != FileKind::journal || reading.contents.damages.empty()) return {};
    const Damage& first = reading.contents.damages.front();
    return first.where + ": " + first.what;
}

Error cannot_set_aside(const fs::path& folder, int status) {
    return lmdb_error(status, folder.string(), "its data file cannot be set aside");
}

Result<SetAside> rename_away(const fs::path& folder, std::string damage, TimeMs now) {
    const fs::path goal = free_name(folder, now);
    // LMDB would believe what a living reader's table says of the old file. Readers keep theirs open.
    if (::unlink((folder / format::lmdb_lock_file).c_str()) != 0 && errno != ENOENT)
        return std::unexpected(cannot_set_aside(folder, errno));
    if (::rename((folder / format::data_file).c_str(), goal.c_str()) != 0)
        return std::unexpected(cannot_set_aside(folder, errno));
    if (const int status = sync_folder(folder); status != 0)
        return std::unexpected(cannot_set_aside(folder, status));
    return SetAside{goal, std::move(damage)};
}

}  // namespace

Result<std::optional<SetAside>> set_aside(const fs::path& folder, SetAsideWhen when, TimeMs now) {
    const fs::path data_file = folder / format::data_file;
    if (!is_there(data_file)) return std::nullopt;
    const auto lock = WriterLock::take(folder);
    if (!lock) return std::unexpected(lock.error());

    const auto reading = read_file(data_file);
    if (reading && reading->kind == FileKind::other_lmdb)
        return std::unexpected(*refusal_of(data_file, *reading));
    std::string damage = reading ? damage_in(*reading) : reading.error().message;
    if (when == SetAsideWhen::damaged) {
        if (!reading || reading->read_failed || damage.empty()) return std::nullopt;
        if (disk_is_full(folder)) return std::unexpected(cannot_set_aside(folder, ENOSPC));
    }
    auto gone = rename_away(folder, std::move(damage), now);
    if (!gone) return std::unexpected(gone.error());
    return std::optional(std::move(*gone));
}

}  // namespace pawl::journal
