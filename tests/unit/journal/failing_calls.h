// Makes chosen calls of the system and of LMDB fail, in a program that the linker has sent through here
// (--wrap, tests/unit/journal/CMakeLists.txt). Without a CallsFail every call does its work.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::journal::test {

// Which calls fail, counted over those that match, and how.
struct Failure {
    std::string_view call = {};  // "fsync", "mdb_put", …; empty: any
    std::size_t first = 1;       // from 1
    std::size_t times = 1;
    // errno, or what the mdb_… function returns. pread with 0 meets the end of the file; or one of those
    // below.
    int status;
};
// mdb_get and mdb_cursor_get do not fail, but give a value that nobody has written.
constexpr int rubbish = -1;
// mdb_txn_commit says EIO and leaves what LMDB leaves when its meta page cannot be made durable: the new
// trees under the number of the transaction that was on that page before.
constexpr int meta_page_lost = -2;

// In force while it lives, for the thread that made it. Several at a time count each for itself; the last one
// that has a failure for the call decides.
class CallsFail {
  public:
    explicit CallsFail(const Failure& failure);
    ~CallsFail();
    CallsFail(const CallsFail&) = delete;
    CallsFail& operator=(const CallsFail&) = delete;
    // Calls that matched until now, failed or not.
    std::size_t seen() const { return seen_; }
    // The last call that failed: "fsync"; empty when none did.
    const std::string& failed() const { return failed_; }
    // For failing_calls.cc: what this call must give instead of doing its work.
    std::optional<int> failure_of(std::string_view call);

  private:
    Failure failure_;
    std::size_t seen_ = 0;
    std::string failed_;
};

// Does something before every call of that name while it lives, for the thread that made it. What it does
// itself neither fails nor counts. One at a time.
class BeforeCalls {
  public:
    BeforeCalls(std::string_view call, std::function<void()> action);
    ~BeforeCalls();
    BeforeCalls(const BeforeCalls&) = delete;
    BeforeCalls& operator=(const BeforeCalls&) = delete;
};

}  // namespace pawl::journal::test
