// Makes chosen calls of the system and of LMDB fail, in a program that the linker has sent through here
// (--wrap, tests/unit/journal/CMakeLists.txt). Without a CallsFail every call does its work.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pawl::journal::test {

// Which calls fail, counted over those that match, and how.
struct Failure {
    std::string_view call = {};  // "fsync", "mdb_put", …; empty: any
    std::size_t first = 1;       // from 1
    std::size_t times = 1;
    // errno, or what the mdb_… function returns. pread with 0 meets the end of the file; with `rubbish`
    // mdb_get and mdb_cursor_get do not fail, but give a value that nobody has written.
    int status;
};
constexpr int rubbish = -1;

// In force while it lives, for the thread that made it. One at a time.
class CallsFail {
  public:
    explicit CallsFail(const Failure& failure);
    ~CallsFail();
    CallsFail(const CallsFail&) = delete;
    CallsFail& operator=(const CallsFail&) = delete;
    // Calls that matched until now, failed or not.
    std::size_t seen() const;
    // The last call that failed: "fsync"; empty when none did.
    std::string failed() const;
};

}  // namespace pawl::journal::test
