#include "journal/lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/core.h>

#include "journal/format.h"

namespace pawl::journal {
namespace {

struct flock whole_file(short type) {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

int pid_in(int descriptor) {
    std::array<char, 16> text{};
    const ssize_t bytes = ::pread(descriptor, text.data(), text.size(), 0);
    int pid = 0;
    if (bytes > 0) std::from_chars(text.data(), text.data() + bytes, pid);
    return pid;
}

std::filesystem::path lock_file(const std::filesystem::path& folder) {
    return folder / format::writer_lock_file;
}

}  // namespace

Result<WriterLock> WriterLock::take(const std::filesystem::path& folder) {
    const std::filesystem::path file = lock_file(folder);
    WriterLock lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.descriptor_ < 0)
        return fail(ErrorKind::storage,
                    fmt::format("{} cannot be opened: {}", file.string(), std::strerror(errno)),
                    "give the folder to the user that pawl runs as, with mode 0700");
    struct flock wanted = whole_file(F_WRLCK);
    if (::fcntl(lock.descriptor_, F_OFD_SETLK, &wanted) != 0) {
        if (errno != EAGAIN && errno != EACCES)
            return fail(ErrorKind::storage,
                        fmt::format("{} cannot be locked: {}", file.string(), std::strerror(errno)),
                        "put the journal on a local file system");
        return fail(ErrorKind::decision,
                    fmt::format("the journal {} is in use by another pawl, process {}", folder.string(),
                                pid_in(lock.descriptor_)),
                    "stop that one first, or give this one a journal.path of its own");
    }
    const std::string pid = fmt::format("{}\n", ::getpid());
    const bool written =
        ::fchmod(lock.descriptor_, 0600) == 0 && ::ftruncate(lock.descriptor_, 0) == 0 &&
        ::pwrite(lock.descriptor_, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
    if (!written)
        return fail(ErrorKind::storage,
                    fmt::format("{} cannot be written: {}", file.string(), std::strerror(errno)),
                    "free space on its file system, and look who owns the file");
    return lock;
}

WriterLock::WriterLock(WriterLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

WriterLock::~WriterLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<int> writer_of(const std::filesystem::path& folder) {
    const int descriptor = ::open(lock_file(folder).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return std::nullopt;
    struct flock question = whole_file(F_WRLCK);
    std::optional<int> pid;
    if (::fcntl(descriptor, F_OFD_GETLK, &question) == 0 && question.l_type != F_UNLCK)
        pid = pid_in(descriptor);
    ::close(descriptor);
    return pid;
}

}  // namespace pawl::journal
