// The writer's lock: one pawl per journal folder. The kernel releases it when the process dies, however it
// dies.
#pragma once

#include <filesystem>
#include <optional>

#include "base/error.h"

namespace pawl::journal {

// Held while it lives. An open file description lock (fcntl F_OFD_SETLK, Linux 3.15), so that others can ask
// who holds it without taking it for a moment, and no other descriptor that this process closes can release
// it.
class WriterLock {
  public:
    // Makes the file (0600) and writes this process's pid into it. Errors: another process, or this one,
    // holds it (decision, names the pid); the file cannot be made (storage).
    static Result<WriterLock> take(const std::filesystem::path& folder);
    WriterLock(WriterLock&& other) noexcept;
    WriterLock& operator=(WriterLock&&) = delete;
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;
    ~WriterLock();

  private:
    explicit WriterLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

// The pid of the process that holds the lock now, as it sees itself (containers number theirs); 0 when it has
// not written it yet; nothing when nobody holds it or the file cannot be opened.
std::optional<int> writer_of(const std::filesystem::path& folder);

}  // namespace pawl::journal
