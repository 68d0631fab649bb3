// What the preloaded library writes down, and the disk model reads: one record per system call that changes
// or syncs something, in order.
#pragma once

#include <cstdint>

namespace pawl::powerloss {

enum class TraceKind : std::uint32_t {
    create = 1,   // a file that was not there: path, file
    make_folder,  // path
    write,        // file, offset, data: in the page cache
    sync_range,   // file, offset, bytes: what O_DSYNC promises for the write before
    truncate,     // file, offset = its new length
    allocate,     // file, offset = its length at least
    sync,         // file: fsync or fdatasync has returned
    sync_folder,  // path
    rename,       // path = from, NUL, to
    remove,       // path: a file or an empty folder
    mark,         // data: a line of the workload's, not of the journal
};

// Followed by `path_bytes` of path and, for write and mark, `bytes` of data.
struct TraceHeader {
    TraceKind kind = TraceKind::mark;
    std::uint32_t path_bytes = 0;
    std::uint64_t file = 0;  // inode number
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};
static_assert(sizeof(TraceHeader) == 32);

// How the library is told what to do.
inline constexpr const char* root_variable = "PAWL_DISK_ROOT";    // what lies below it is watched
inline constexpr const char* trace_variable = "PAWL_DISK_TRACE";  // file that records are appended to
inline constexpr const char* marks_variable = "PAWL_DISK_MARKS";  // writes to this file are marks
inline constexpr const char* fault_variable = "PAWL_DISK_FAULT";  // "enospc:17": from the 17th call on
inline constexpr const char* lmdb_variable = "PAWL_DISK_LMDB";    // "nosync", "nometasync": a planted bug

// enospc: writes, allocations and new names fail. erofs: everything that changes something fails. eio_write:
// that one write fails. eio_once: that one call fails. eio: from there on every sync fails, and what was
// written is in the page cache all the same, as on Linux. kill: the process is killed by SIGKILL, after the
// call if it writes, before it if it syncs. none: nothing; for counting.

}  // namespace pawl::powerloss
