// Preloaded into a process that has a journal: writes down every call that changes or syncs a file below one
// folder, and makes a chosen one fail. Interposes what LMDB 0.9 (pwrite, lseek + writev, an O_DSYNC
// descriptor for meta pages, fdatasync), journal/*.cc and libstdc++'s remove_all use. For programs of one
// thread.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tests/powerloss/trace_record.h"

namespace {

using pawl::powerloss::TraceHeader;
using pawl::powerloss::TraceKind;

enum class Watch : unsigned char { no, file, folder, marks };

struct Descriptor {
    Watch watch = Watch::no;
    std::uint64_t file = 0;
    bool synchronous = false;
    std::string path;
};

// What a call does, as far as faults care.
enum class Doing : unsigned char { write, name, remove, sync };

struct State {
    std::string root;
    std::string marks;
    int trace = -1;
    std::string fault;
    unsigned long fault_at = 0;
    unsigned long calls = 0;
    std::array<Descriptor, 1024> descriptors;

    State() {
        const auto text = [](const char* name) {
            const char* const value = std::getenv(name);
            return std::string(value == nullptr ? "" : value);
        };
        root = text(pawl::powerloss::root_variable);
        marks = text(pawl::powerloss::marks_variable);
        const std::string trace_file = text(pawl::powerloss::trace_variable);
        if (!trace_file.empty())
            trace = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, trace_file.c_str(),
                                               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        fault = text(pawl::powerloss::fault_variable);
        const auto colon = fault.find(':');
        if (colon == std::string::npos) return;
        fault_at = std::strtoul(fault.c_str() + colon + 1, nullptr, 10);
        fault.resize(colon);
    }
};

State& state() {
    static State* const the_state = new State;  // outlives everything
    return *the_state;
}

bool below_root(std::string_view path) {
    const std::string& root = state().root;
    return !root.empty() && path.starts_with(root) &&
           (path.size() == root.size() || path[root.size()] == '/');
}

Descriptor* watched(int descriptor) {
    if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= state().descriptors.size()) return nullptr;
    Descriptor& found = state().descriptors[static_cast<std::size_t>(descriptor)];
    return found.watch == Watch::no ? nullptr : &found;
}

std::string path_of(int folder, const char* path) {
    if (path[0] == '/') return path;
    std::array<char, PATH_MAX> base{};
    const std::string link =
        folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(folder);
    const auto bytes = ::syscall(SYS_readlinkat, AT_FDCWD, link.c_str(), base.data(), base.size() - 1);
    return std::string(base.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0) + "/" + path;
}

void put(const void* bytes, std::size_t count) {
    if (state().trace < 0) return;
    if (::syscall(SYS_write, state().trace, bytes, count) != static_cast<long>(count)) ::abort();
}

void record(TraceHeader header, std::string_view path = {}, const iovec* data = nullptr, int parts = 0) {
    header.path_bytes = static_cast<std::uint32_t>(path.size());
    std::uint64_t left = header.bytes;
    put(&header, sizeof(header));
    if (!path.empty()) put(path.data(), path.size());
    for (int i = 0; i < parts && left > 0; ++i) {
        const std::size_t bytes = data[i].iov_len < left ? data[i].iov_len : left;
        put(data[i].iov_base, bytes);
        left -= bytes;
    }
}

[[noreturn]] void die() {
    ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL);
    for (;;) {
    }
}

bool hits_now() {
    const State& now = state();
    return now.fault_at != 0 && now.calls == now.fault_at;
}

// Counts the call; the error it must fail with, or 0. A process that dies at a sync does so here.
int fault_of(Doing doing) {
    State& now = state();
    ++now.calls;
    if (now.fault_at == 0 || now.calls < now.fault_at) return 0;
    const bool first = now.calls == now.fault_at;
    if (now.fault == "kill" && first && doing == Doing::sync) die();
    if (now.fault == "enospc" && (doing == Doing::write || doing == Doing::name)) return ENOSPC;
    if (now.fault == "erofs") return doing == Doing::sync ? EIO : EROFS;
    if (now.fault == "eio_write" && first && doing == Doing::write) return EIO;
    if (now.fault == "eio_once" && first) return EIO;
    if (now.fault == "eio" && doing == Doing::sync) return EIO;
    return 0;
}

// After a call that was carried out.
void survive() {
    if (hits_now() && state().fault == "kill") die();
}

long failed(int error) {
    errno = error;
    return -1;
}

int open_at(int folder, const char* name, int flags, mode_t mode) {
    const std::string path = path_of(folder, name);
    const bool inside = below_root(path);
    struct stat status{};
    const bool is_new = inside && (flags & O_CREAT) != 0 && ::lstat(path.c_str(), &status) != 0;
    const bool to_write = (flags & O_ACCMODE) != O_RDONLY;
    if (is_new) {
        if (const int error = fault_of(Doing::name); error != 0) return static_cast<int>(failed(error));
    } else if (inside && to_write && state().fault == "erofs" && state().calls >= state().fault_at &&
               state().fault_at != 0) {
        return static_cast<int>(failed(EROFS));
    }
    const int descriptor = static_cast<int>(::syscall(SYS_openat, folder, name, flags, mode));
    if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= state().descriptors.size())
        return descriptor;
    Descriptor& opened = state().descriptors[static_cast<std::size_t>(descriptor)];
    opened = {};
    if (!state().marks.empty() && path == state().marks) opened.watch = Watch::marks;
    if (!inside) return descriptor;
    ::fstat(descriptor, &status);
    opened.watch = S_ISDIR(status.st_mode) ? Watch::folder : Watch::file;
    opened.file = status.st_ino;
    opened.synchronous = (flags & O_DSYNC) != 0;  // O_SYNC includes it
    opened.path = path;
    if (is_new) {
        record({.kind = TraceKind::create, .file = opened.file}, path);
        survive();
    }
    return descriptor;
}

ssize_t write_at(int descriptor, const iovec* data, int parts, off_t offset) {
    Descriptor& to = *watched(descriptor);
    std::uint64_t bytes = 0;
    for (int i = 0; i < parts; ++i)
        bytes += data[i].iov_len;
    if (to.watch == Watch::marks) {
        record({.kind = TraceKind::mark, .bytes = bytes}, {}, data, parts);
        return ::syscall(SYS_writev, descriptor, data, parts);
    }
    if (const int error = fault_of(Doing::write); error != 0) return failed(error);
    const ssize_t done = ::syscall(SYS_pwritev, descriptor, data, parts, offset, 0);
    if (done < 0) return done;
    const TraceHeader header{.kind = TraceKind::write,
                             .file = to.file,
                             .offset = static_cast<std::uint64_t>(offset),
                             .bytes = static_cast<std::uint64_t>(done)};
    record(header, {}, data, parts);
    survive();
    if (!to.synchronous) return done;
    if (const int error = fault_of(Doing::sync); error != 0) return failed(error);
    record({.kind = TraceKind::sync_range, .file = to.file, .offset = header.offset}, {});
    return done;
}

ssize_t write_on(int descriptor, const iovec* data, int parts) {
    const off_t offset = ::lseek(descriptor, 0, SEEK_CUR);
    const ssize_t done = write_at(descriptor, data, parts, offset);
    if (done > 0 && watched(descriptor)->watch == Watch::file) ::lseek(descriptor, offset + done, SEEK_SET);
    return done;
}

int sync_of(int descriptor, long number) {
    const Descriptor* const of = watched(descriptor);
    if (of == nullptr || of->watch == Watch::marks) return static_cast<int>(::syscall(number, descriptor));
    if (const int error = fault_of(Doing::sync); error != 0) return static_cast<int>(failed(error));
    const int done = static_cast<int>(::syscall(number, descriptor));
    if (done == 0 && of->watch == Watch::folder) record({.kind = TraceKind::sync_folder}, of->path);
    if (done == 0 && of->watch == Watch::file) record({.kind = TraceKind::sync, .file = of->file});
    return done;
}

int truncate_of(int descriptor, off_t length, bool only_longer) {
    const Descriptor* const of = watched(descriptor);
    const auto carry_out = [&] {
        return static_cast<int>(only_longer ? ::syscall(SYS_fallocate, descriptor, 0, 0, length)
                                            : ::syscall(SYS_ftruncate, descriptor, length));
    };
    if (of == nullptr || of->watch != Watch::file) return carry_out();
    if (const int error = fault_of(Doing::write); error != 0) return static_cast<int>(failed(error));
    const int done = carry_out();
    const auto kind = only_longer ? TraceKind::allocate : TraceKind::truncate;
    if (done == 0) record({.kind = kind, .file = of->file, .offset = static_cast<std::uint64_t>(length)});
    if (done == 0) survive();
    return done;
}

// Of a call that changes names: `path` is what it changes.
template <class Call>
int name_change(const std::string& path, const std::string& recorded, TraceKind kind, Call call) {
    if (!below_root(path)) return static_cast<int>(call());
    const Doing doing = kind == TraceKind::remove ? Doing::remove : Doing::name;
    if (const int error = fault_of(doing); error != 0) return static_cast<int>(failed(error));
    const int done = static_cast<int>(call());
    if (done == 0) record({.kind = kind}, recorded);
    survive();
    return done;
}

mode_t mode_in(int flags, va_list rest) {
    return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(rest, int)) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_in(flags, rest);
    va_end(rest);
    return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) __attribute__((alias("open")));

int openat(int folder, const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = mode_in(flags, rest);
    va_end(rest);
    return open_at(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) __attribute__((alias("openat")));

int close(int descriptor) {
    if (Descriptor* const of = watched(descriptor)) *of = {};
    return static_cast<int>(::syscall(SYS_close, descriptor));
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
    if (watched(descriptor) == nullptr) return ::syscall(SYS_pwrite64, descriptor, bytes, count, offset);
    const iovec data{const_cast<void*>(bytes), count};
    return write_at(descriptor, &data, 1, offset);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset)
    __attribute__((alias("pwrite")));

ssize_t pwritev(int descriptor, const iovec* data, int parts, off_t offset) {
    if (watched(descriptor) == nullptr) return ::syscall(SYS_pwritev, descriptor, data, parts, offset, 0);
    return write_at(descriptor, data, parts, offset);
}
ssize_t pwritev64(int descriptor, const iovec* data, int parts, off64_t offset)
    __attribute__((alias("pwritev")));

ssize_t write(int descriptor, const void* bytes, size_t count) {
    if (watched(descriptor) == nullptr) return ::syscall(SYS_write, descriptor, bytes, count);
    const iovec data{const_cast<void*>(bytes), count};
    return write_on(descriptor, &data, 1);
}

ssize_t writev(int descriptor, const iovec* data, int parts) {
    if (watched(descriptor) == nullptr) return ::syscall(SYS_writev, descriptor, data, parts);
    return write_on(descriptor, data, parts);
}

int fsync(int descriptor) {
    return sync_of(descriptor, SYS_fsync);
}
int fdatasync(int descriptor) {
    return sync_of(descriptor, SYS_fdatasync);
}

int ftruncate(int descriptor, off_t length) noexcept {
    return truncate_of(descriptor, length, false);
}
int ftruncate64(int descriptor, off64_t length) noexcept __attribute__((alias("ftruncate")));

int posix_fallocate(int descriptor, off_t offset, off_t length) {
    return truncate_of(descriptor, offset + length, true) == 0 ? 0 : errno;
}
int posix_fallocate64(int descriptor, off64_t offset, off64_t length)
    __attribute__((alias("posix_fallocate")));

int rename(const char* from, const char* to) noexcept {
    const std::string source = path_of(AT_FDCWD, from);
    const std::string goal = path_of(AT_FDCWD, to);
    return name_change(goal, source + '\0' + goal, TraceKind::rename,
                       [&] { return ::syscall(SYS_rename, from, to); });
}

int mkdir(const char* path, mode_t mode) noexcept {
    const std::string made = path_of(AT_FDCWD, path);
    return name_change(made, made, TraceKind::make_folder, [&] { return ::syscall(SYS_mkdir, path, mode); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
    const std::string gone = path_of(folder, path);
    return name_change(gone, gone, TraceKind::remove,
                       [&] { return ::syscall(SYS_unlinkat, folder, path, flags); });
}
int unlink(const char* path) noexcept {
    return unlinkat(AT_FDCWD, path, 0);
}
int rmdir(const char* path) noexcept {
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}
int remove(const char* path) noexcept {
    const int done = unlinkat(AT_FDCWD, path, 0);
    return done != 0 && errno == EISDIR ? rmdir(path) : done;
}

// LMDB without one of its syncs: bugs that the tests plant.
int mdb_env_open(void* environment, const char* path, unsigned flags, mode_t mode) {
    using Open = int (*)(void*, const char*, unsigned, mode_t);
    static const auto real = reinterpret_cast<Open>(::dlsym(RTLD_NEXT, "mdb_env_open"));
    const char* const planted = std::getenv(pawl::powerloss::lmdb_variable);
    if (planted != nullptr && std::strcmp(planted, "nosync") == 0) flags |= 0x10000;      // MDB_NOSYNC
    if (planted != nullptr && std::strcmp(planted, "nometasync") == 0) flags |= 0x40000;  // MDB_NOMETASYNC
    return real(environment, path, flags, mode);
}

}  // extern "C"
