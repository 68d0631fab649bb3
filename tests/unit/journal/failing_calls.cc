#include "tests/unit/journal/failing_calls.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <utility>
#include <vector>

namespace pawl::journal::test {
namespace {

thread_local std::vector<CallsFail*> failing;
struct Before {
    std::string_view call;
    std::function<void()> action;
    bool acts = false;
};
thread_local std::optional<Before> before;

// What this call must give instead of doing its work.
std::optional<int> failure_of(std::string_view call) {
    if (before && before->acts) return std::nullopt;
    if (before && before->call == call) {
        before->acts = true;
        before->action();
        before->acts = false;
    }
    std::optional<int> status;
    for (CallsFail* const one : failing)
        if (const auto failure = one->failure_of(call)) status = failure;
    return status;
}

// For calls that return -1 and set errno.
bool fails(std::string_view call) {
    const auto status = failure_of(call);
    if (status) errno = *status;
    return status.has_value();
}

MDB_val value_of_rubbish() {
    static std::string bytes = "what nobody has written";
    return {bytes.size(), bytes.data()};
}

}  // namespace

CallsFail::CallsFail(const Failure& failure) : failure_(failure) {
    failing.push_back(this);
}

CallsFail::~CallsFail() {
    std::erase(failing, this);
}

std::optional<int> CallsFail::failure_of(std::string_view call) {
    if (!failure_.call.empty() && failure_.call != call) return std::nullopt;
    ++seen_;
    if (seen_ < failure_.first || seen_ >= failure_.first + failure_.times) return std::nullopt;
    failed_ = call;
    return failure_.status;
}

BeforeCalls::BeforeCalls(std::string_view call, std::function<void()> action) {
    if (before) throw std::logic_error("something is done before calls already");
    before = Before{call, std::move(action)};
}

BeforeCalls::~BeforeCalls() {
    before.reset();
}

}  // namespace pawl::journal::test

using pawl::journal::test::fails;
using pawl::journal::test::failure_of;
using pawl::journal::test::meta_page_lost;
using pawl::journal::test::rubbish;
using pawl::journal::test::value_of_rubbish;

// A call whose failure is -1 with errno, and one whose failure is what it returns.
#define WRAP_SYSTEM(type, name, parameters, arguments) \
    type __real_##name parameters;                     \
    type __wrap_##name parameters;                     \
    type __wrap_##name parameters {                    \
        if (fails(#name)) return -1;                   \
        return __real_##name arguments;                \
    }
#define WRAP_STATUS(name, parameters, arguments)                   \
    int __real_##name parameters;                                  \
    int __wrap_##name parameters;                                  \
    int __wrap_##name parameters {                                 \
        if (const auto status = failure_of(#name)) return *status; \
        return __real_##name arguments;                            \
    }

// The linker gives these names their meaning.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

WRAP_SYSTEM(int, access, (const char* path, int mode), (path, mode))
WRAP_SYSTEM(int, chmod, (const char* path, mode_t mode), (path, mode))
WRAP_SYSTEM(int, fchmod, (int descriptor, mode_t mode), (descriptor, mode))
WRAP_SYSTEM(int, fstat, (int descriptor, struct stat* status), (descriptor, status))
WRAP_SYSTEM(int, fsync, (int descriptor), (descriptor))
WRAP_SYSTEM(int, ftruncate, (int descriptor, off_t bytes), (descriptor, bytes))
WRAP_SYSTEM(int, lstat, (const char* path, struct stat* status), (path, status))
WRAP_SYSTEM(int, mkdir, (const char* path, mode_t mode), (path, mode))
WRAP_SYSTEM(int, rename, (const char* from, const char* to), (from, to))
WRAP_SYSTEM(int, stat, (const char* path, struct stat* status), (path, status))
WRAP_SYSTEM(int, statvfs, (const char* path, struct statvfs* status), (path, status))
WRAP_SYSTEM(int, unlink, (const char* path), (path))
WRAP_SYSTEM(ssize_t, pwrite, (int descriptor, const void* bytes, size_t count, off_t offset),
            (descriptor, bytes, count, offset))
WRAP_STATUS(posix_fallocate, (int descriptor, off_t offset, off_t bytes), (descriptor, offset, bytes))

ssize_t __real_pread(int descriptor, void* bytes, size_t count, off_t offset);
ssize_t __wrap_pread(int descriptor, void* bytes, size_t count, off_t offset);
ssize_t __wrap_pread(int descriptor, void* bytes, size_t count, off_t offset) {
    if (fails("pread")) return errno == 0 ? 0 : -1;
    return __real_pread(descriptor, bytes, count, offset);
}

int __real_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (fails("open")) return -1;
    return __real_open(path, flags, mode);
}

int __real_fcntl(int descriptor, int command, ...);
int __wrap_fcntl(int descriptor, int command, ...);
int __wrap_fcntl(int descriptor, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void* const argument = va_arg(rest, void*);  // the journal's locks; nothing else here calls it
    va_end(rest);
    if (fails("fcntl")) return -1;
    return __real_fcntl(descriptor, command, argument);
}

WRAP_STATUS(mdb_env_create, (MDB_env * *env), (env))
WRAP_STATUS(mdb_env_set_maxdbs, (MDB_env * env, MDB_dbi count), (env, count))
WRAP_STATUS(mdb_env_set_maxreaders, (MDB_env * env, unsigned count), (env, count))
WRAP_STATUS(mdb_env_set_mapsize, (MDB_env * env, size_t bytes), (env, bytes))
WRAP_STATUS(mdb_env_open, (MDB_env * env, const char* path, unsigned flags, mdb_mode_t mode),
            (env, path, flags, mode))
WRAP_STATUS(mdb_txn_begin, (MDB_env * env, MDB_txn* parent, unsigned flags, MDB_txn** txn),
            (env, parent, flags, txn))
WRAP_STATUS(mdb_dbi_open, (MDB_txn * txn, const char* name, unsigned flags, MDB_dbi* handle),
            (txn, name, flags, handle))
WRAP_STATUS(mdb_put, (MDB_txn * txn, MDB_dbi handle, MDB_val* key, MDB_val* value, unsigned flags),
            (txn, handle, key, value, flags))
WRAP_STATUS(mdb_del, (MDB_txn * txn, MDB_dbi handle, MDB_val* key, MDB_val* value), (txn, handle, key, value))
WRAP_STATUS(mdb_cursor_open, (MDB_txn * txn, MDB_dbi handle, MDB_cursor** walker), (txn, handle, walker))

int __real_mdb_txn_commit(MDB_txn* txn);
// As mdb_env_write_meta leaves it.
static int commit_and_lose_meta_page(MDB_txn* txn) {
    constexpr off_t transaction_at = 16 + 128;  // behind the page's header, in MDB_meta
    MDB_env* const env = ::mdb_txn_env(txn);
    const std::uint64_t number = ::mdb_txn_id(txn);
    const std::uint64_t number_before = number - 2;
    int descriptor = -1;
    MDB_stat about{};
    if (::mdb_env_get_fd(env, &descriptor) != MDB_SUCCESS || ::mdb_env_stat(env, &about) != MDB_SUCCESS ||
        __real_mdb_txn_commit(txn) != MDB_SUCCESS)
        std::abort();
    const auto place = static_cast<off_t>(number % 2 * about.ms_psize) + transaction_at;
    if (__real_pwrite(descriptor, &number_before, sizeof(number_before), place) != sizeof(number_before))
        std::abort();
    return EIO;
}
int __wrap_mdb_txn_commit(MDB_txn* txn);
int __wrap_mdb_txn_commit(MDB_txn* txn) {
    const auto status = failure_of("mdb_txn_commit");
    if (!status) return __real_mdb_txn_commit(txn);
    if (*status == meta_page_lost) return commit_and_lose_meta_page(txn);
    ::mdb_txn_abort(txn);  // as LMDB's own does
    return *status;
}

int __real_mdb_get(MDB_txn* txn, MDB_dbi handle, MDB_val* key, MDB_val* value);
int __wrap_mdb_get(MDB_txn* txn, MDB_dbi handle, MDB_val* key, MDB_val* value);
int __wrap_mdb_get(MDB_txn* txn, MDB_dbi handle, MDB_val* key, MDB_val* value) {
    const auto status = failure_of("mdb_get");
    if (status && *status != rubbish) return *status;
    const int done = __real_mdb_get(txn, handle, key, value);
    if (status && done == MDB_SUCCESS) *value = value_of_rubbish();
    return done;
}

int __real_mdb_cursor_get(MDB_cursor* walker, MDB_val* key, MDB_val* value, MDB_cursor_op operation);
int __wrap_mdb_cursor_get(MDB_cursor* walker, MDB_val* key, MDB_val* value, MDB_cursor_op operation);
int __wrap_mdb_cursor_get(MDB_cursor* walker, MDB_val* key, MDB_val* value, MDB_cursor_op operation) {
    const auto status = failure_of("mdb_cursor_get");
    if (status && *status != rubbish) return *status;
    const int done = __real_mdb_cursor_get(walker, key, value, operation);
    if (status && done == MDB_SUCCESS) *value = value_of_rubbish();
    return done;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
