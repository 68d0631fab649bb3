// A disk that keeps its promises, and what it may hold when the power goes.
//
// The rules: what was written lies in the page cache until a sync; until then each sector of 512 bytes may
// have reached the disk in any of the versions that the page cache held, whatever became of the others. An
// fsync or fdatasync that has returned, and a write by an O_DSYNC descriptor, have made their part durable.
// Names (new files, folders, renames) are durable by the fsync of their folder, and before that in the order
// in which they were made (as file systems with a log of their metadata keep it).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/powerloss/changes.h"
#include "tests/powerloss/trace_record.h"

namespace pawl::powerloss {

inline constexpr std::uint64_t sector_bytes = 512;

struct TraceEvent {
    TraceKind kind = TraceKind::mark;
    std::uint64_t file = 0;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  // of a write; its data may be left out of `data` only where nobody needs it
    std::string_view path;
    std::string_view data;
};

// A whole trace in memory; the events point into it.
class Trace {
  public:
    // Throws when the file is no trace.
    explicit Trace(const std::string& file);
    Trace(const Trace&) = delete;
    Trace& operator=(const Trace&) = delete;
    const std::vector<TraceEvent>& events() const { return events_; }

  private:
    std::string bytes_;
    std::vector<TraceEvent> events_;
};

// What of the unsynced writes has reached the disk.
enum class Loss : std::uint8_t {
    nothing,    // the page cache was written in time
    all,        // nothing but what was synced
    tail,       // writes in their order up to one of them
    torn,       // the same, and the last one by its first sectors only
    dropped,    // each write as a whole or not
    reordered,  // each sector for itself, in any of its versions
    grown,      // as dropped, and the file has its new length, zeros where nothing arrived
    count_of_them,
};
std::string_view name_of(Loss loss);

// Files by path, as they are after the power came back. A folder ends with '/'.
using DiskState = std::map<std::string, std::string>;

class Disk {
  public:
    void put(const TraceEvent& event);
    bool has_unsynced() const;
    DiskState after(Loss loss, Chance& chance) const;
    // A liar: the last `count` writes were never made durable, synced or not, and each may be missing.
    DiskState after_lies(std::size_t count, Chance& chance) const;

  private:
    struct Write {
        std::uint64_t offset = 0;
        std::string_view data;
        std::uint64_t end() const { return offset + data.size(); }
    };
    struct File {
        std::string durable;
        std::vector<Write> unsynced;
        std::uint64_t length = 0;  // as the process sees it
    };
    struct NameChange {
        TraceKind kind = TraceKind::create;
        std::string path;
        std::string to;
        std::uint64_t file = 0;
    };
    struct Names {
        std::map<std::string, std::uint64_t> files;
        std::set<std::string> folders;
        void put(const NameChange& change);
    };

    static void apply(const Write& write, std::uint64_t first_sector, std::uint64_t last_sector,
                      std::string& image);
    static std::string image_of(const File& file, Loss loss, Chance& chance);
    void sync_folder(const std::string& path);
    DiskState state_of(const Names& names, const std::map<std::uint64_t, std::string>& images) const;

    std::map<std::uint64_t, File> files_;
    Names names_;
    std::vector<NameChange> unsynced_names_;
    std::vector<std::pair<std::uint64_t, Write>> last_writes_;  // synced or not, oldest first
    std::map<std::uint64_t, std::string> before_last_writes_;
};

// Writes the files below `folder`, which is made anew, for a journal that was at `root`.
void write_state(const DiskState& state, const std::string& root, const std::string& folder);

}  // namespace pawl::powerloss
