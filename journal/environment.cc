#include "journal/environment.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "journal/codec.h"
#include "journal/limits.h"
#include "journal/page_file.h"

namespace pawl::journal {
namespace {

MDB_val value_of(std::string_view bytes) {
    return {bytes.size(), const_cast<char*>(bytes.data())};
}

std::string_view view_of(const MDB_val& value) {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// LMDB makes its lock file sparse and maps it: on a full disk the first touch would be a SIGBUS. So it is
// made before, with the size that LMDB gives it: 64 bytes per reader but one, 192 for its head.
Result<void> make_lock_file(const std::filesystem::path& folder) {
    constexpr off_t lock_file_bytes = (limits::readers_max - 1) * 64 + 192;
    const std::filesystem::path file = folder / format::lmdb_lock_file;
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int status = descriptor < 0 ? errno : 0;
    if (status == 0 && ::fchmod(descriptor, 0600) != 0) status = errno;
    if (status == 0) status = ::posix_fallocate(descriptor, 0, lock_file_bytes);
    if (descriptor >= 0) ::close(descriptor);
    if (status != 0)
        return std::unexpected(lmdb_error(status, folder.string(), "its lock.mdb cannot be made"));
    return {};
}

}  // namespace

bool disk_is_full(const std::filesystem::path& folder) {
    struct statvfs status{};
    constexpr std::uint64_t next_to_nothing_bytes = 1 << 20;
    return ::statvfs(folder.c_str(), &status) == 0 &&
           status.f_bavail * status.f_frsize < next_to_nothing_bytes;
}

Error lmdb_error(int status, std::string_view place, std::string_view doing) {
    std::string message = fmt::format("the journal {}: {}: {}", place, doing, ::mdb_strerror(status));
    std::string advice = fmt::format("look at the file system of {} and the kernel's log", place);
    if (status == MDB_MAP_FULL) {
        message = fmt::format("the journal {}: {}: it has reached its largest size", place, doing);
        advice = "raise [journal] size_max; what was in the journal is kept";
    } else if (status == ENOSPC || status == EDQUOT || (status == EIO && disk_is_full(place))) {
        message = fmt::format("the journal {}: {}: the disk is full", place, doing);
        advice = fmt::format("free space on the file system of {}; what was in the journal is kept", place);
    } else if (status == EFBIG) {
        advice = "raise the limit on file sizes (ulimit -f, LimitFSIZE=); what was in the journal is kept";
    } else if (status == EACCES || status == EPERM || status == EROFS) {
        advice = fmt::format("give {} to the user that pawl runs as, with mode 0700", place);
    }
    return {ErrorKind::storage, std::move(message), std::move(advice)};
}

Error unusable_record(format::Table table, std::string_view key, std::string_view why) {
    return {ErrorKind::storage, fmt::format("the journal's {}: {}", place_of(name_of(table), key), why),
            "keep a copy of the folder; `pawl dump` shows what can be read"};
}

Transaction::Transaction(Transaction&& other) noexcept
    : txn_(std::exchange(other.txn_, nullptr)),
      writes_(other.writes_),
      sum_change_(other.sum_change_),
      tables_(other.tables_),
      place_(std::move(other.place_)),
      map_was_full_(other.map_was_full_) {}

Transaction::~Transaction() {
    if (txn_ != nullptr) ::mdb_txn_abort(txn_);
}

std::unexpected<Error> Transaction::failed(int status, std::string_view doing) {
    if (status == MDB_MAP_FULL) map_was_full_ = true;
    return std::unexpected(lmdb_error(status, place_, doing));
}

Result<std::optional<std::string_view>> Transaction::get(format::Table table, std::string_view key) {
    MDB_val wanted = value_of(key);
    MDB_val found{};
    const int status = ::mdb_get(txn_, handle_of(table), &wanted, &found);
    if (status == MDB_NOTFOUND) return std::nullopt;
    if (status != MDB_SUCCESS) return failed(status, "a record cannot be read");
    return view_of(found);
}

Result<std::uint64_t> Transaction::present_sum_part(format::Table table, std::string_view key) {
    const auto present = get(table, key);
    if (!present) return std::unexpected(present.error());
    return *present ? sum_part_of(name_of(table), key, **present) : 0;
}

Result<void> Transaction::put(format::Table table, std::string_view key, std::string_view value) {
    const auto replaced = present_sum_part(table, key);
    if (!replaced) return std::unexpected(replaced.error());
    MDB_val place = value_of(key);
    MDB_val content = value_of(value);
    const int status = ::mdb_put(txn_, handle_of(table), &place, &content, 0);
    if (status != MDB_SUCCESS) return failed(status, "a record cannot be written");
    sum_change_ += sum_part_of(name_of(table), key, value) - *replaced;
    return {};
}

Result<void> Transaction::erase(format::Table table, std::string_view key) {
    const auto erased = present_sum_part(table, key);
    if (!erased) return std::unexpected(erased.error());
    MDB_val place = value_of(key);
    const int status = ::mdb_del(txn_, handle_of(table), &place, nullptr);
    if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return failed(status, "a record cannot be removed");
    sum_change_ -= *erased;
    return {};
}

Result<void> Transaction::each(format::Table table, std::string_view prefix, const Visit& visit) {
    MDB_cursor* cursor = nullptr;
    if (const int status = ::mdb_cursor_open(txn_, handle_of(table), &cursor); status != MDB_SUCCESS)
        return failed(status, "a table cannot be read");
    MDB_val key = value_of(prefix);
    MDB_val value{};
    int status = ::mdb_cursor_get(cursor, &key, &value, prefix.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (status == MDB_SUCCESS && view_of(key).starts_with(prefix)) {
        visit(view_of(key), view_of(value));
        status = ::mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    ::mdb_cursor_close(cursor);
    if (status != MDB_SUCCESS && status != MDB_NOTFOUND) return failed(status, "a table cannot be read");
    return {};
}

Result<std::uint64_t> Transaction::sum_of_records() {
    const auto value = get(format::Table::meta, format::commit_key);
    if (!value) return std::unexpected(value.error());
    const auto former = decode_commit(format::commit_key, value->value_or(std::string_view()));
    if (!former)
        return std::unexpected(
            unusable_record(format::Table::meta, format::commit_key, former.error().message));
    if (former->sum) return *former->sum + sum_change_;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < format::table_names.size(); ++i) {
        const auto read =
            each(static_cast<format::Table>(i), {}, [&](std::string_view key, std::string_view record) {
                sum += sum_part_of(format::table_names[i], key, record);
            });
        if (!read) return std::unexpected(read.error());
    }
    return sum;
}

Result<void> Transaction::put_commit_record() {
    const auto sum = sum_of_records();
    if (!sum) return std::unexpected(sum.error());
    return put(format::Table::meta, format::commit_key, encode_commit(::mdb_txn_id(txn_), *sum));
}

// A commit whose meta page cannot be made durable leaves that page with the new trees under the old
// transaction's number (mdb_env_write_meta), which nobody can tell from a flipped bit afterwards. So the page
// is kept from before, and put back whole.
class Transaction::MetaPage {
  public:
    explicit MetaPage(MDB_txn* txn) {
        MDB_env* const env = ::mdb_txn_env(txn);
        MDB_stat about{};
        // Both only copy what an open environment knows.
        int status = ::mdb_env_get_fd(env, &descriptor_);
        PAWL_ASSERT(status == MDB_SUCCESS);
        status = ::mdb_env_stat(env, &about);
        PAWL_ASSERT(status == MDB_SUCCESS);
        place_ = static_cast<off_t>(::mdb_txn_id(txn) % meta_pages * about.ms_psize);
        kept_ = ::pread(descriptor_, before_.data(), before_.size(), place_) == std::ssize(before_);
    }
    // What cannot be put back stays a damage that the next start names.
    void put_back() const {
        std::array<char, bytes> now{};
        if (!kept_ || ::pread(descriptor_, now.data(), now.size(), place_) != std::ssize(now) ||
            now == before_)
            return;
        if (::pwrite(descriptor_, before_.data(), before_.size(), place_) == std::ssize(before_))
            ::fdatasync(descriptor_);
    }

  private:
    static constexpr std::size_t bytes = 512;  // one sector; the page's header and MDB_meta are 152
    int descriptor_ = -1;
    off_t place_ = 0;
    bool kept_ = false;
    std::array<char, bytes> before_{};
};

Result<void> Transaction::commit() {
    if (writes_) {
        if (auto recorded = put_commit_record(); !recorded) return recorded;
        failpoint::at("during:commit");
    }
    const MetaPage meta_page(txn_);
    const int status = ::mdb_txn_commit(std::exchange(txn_, nullptr));
    if (status == MDB_SUCCESS) return {};
    meta_page.put_back();
    return failed(status, "a transaction cannot be written");
}

Environment::Environment(Environment&& other) noexcept
    : env_(std::exchange(other.env_, nullptr)), tables_(other.tables_), place_(std::move(other.place_)) {}

Environment::~Environment() {
    if (env_ != nullptr) ::mdb_env_close(env_);
}

Result<Environment> Environment::open(const std::filesystem::path& folder, std::uint64_t map_bytes,
                                      unsigned flags) {
    MDB_env* env = nullptr;
    int status = ::mdb_env_create(&env);
    if (status != MDB_SUCCESS)
        return std::unexpected(lmdb_error(status, folder.string(), "cannot be opened"));
    Environment opened(env, folder.string());
    status = ::mdb_env_set_maxdbs(env, format::table_names.size());
    if (status == MDB_SUCCESS) status = ::mdb_env_set_maxreaders(env, limits::readers_max);
    if (status == MDB_SUCCESS && map_bytes > 0) status = ::mdb_env_set_mapsize(env, map_bytes);
    errno = 0;  // mdb_env_setup_locks of LMDB 0.9.24 takes a stale one for its own
    // Read transactions belong to their object and not to their thread (MDB_NOTLS): a Writer may move.
    if (status == MDB_SUCCESS) status = ::mdb_env_open(env, folder.c_str(), flags | MDB_NOTLS, 0600);
    if (status != MDB_SUCCESS) return std::unexpected(lmdb_error(status, opened.place_, "cannot be opened"));
    if (auto tables = opened.open_tables(); !tables) return std::unexpected(tables.error());
    return opened;
}

Result<Environment> Environment::open_to_write(const std::filesystem::path& folder, std::uint64_t map_bytes) {
    if (auto made = make_lock_file(folder); !made) return std::unexpected(made.error());
    auto opened = open(folder, map_bytes, 0);
    if (!opened) return opened;
    opened->clear_dead_readers();
    // A writer that was killed between writing its meta page and telling the others leaves them the
    // transaction before as long as a reader lives. LMDB mends that when the writers' mutex is taken, so take
    // it before anybody reads.
    if (const auto mended = opened->begin_write(); !mended) return std::unexpected(mended.error());
    return opened;
}

Result<Environment> Environment::open_to_read(const std::filesystem::path& folder) {
    if (::access((folder / format::lmdb_lock_file).c_str(), R_OK | W_OK) != 0)
        return std::unexpected(lmdb_error(errno, folder.string(), "its lock.mdb cannot be used"));
    return open(folder, 0, MDB_RDONLY);
}

Result<void> Environment::open_tables() {
    auto transaction = begin(MDB_RDONLY);
    if (!transaction) return std::unexpected(transaction.error());
    for (std::size_t i = 0; i < format::table_names.size(); ++i) {
        const std::string name(format::table_names[i]);
        const int status = ::mdb_dbi_open(transaction->txn_, name.c_str(), 0, &tables_[i]);
        if (status != MDB_SUCCESS)
            return std::unexpected(
                lmdb_error(status, place_, fmt::format("its table {} cannot be opened", name)));
    }
    return transaction->commit();  // keeps the handles
}

Result<Transaction> Environment::begin(unsigned flags) const {
    MDB_txn* txn = nullptr;
    int status = ::mdb_txn_begin(env_, nullptr, flags, &txn);
    // Another process has grown the map; 0 takes over its size. It may grow again before the next try.
    for (int tries = 0; status == MDB_MAP_RESIZED && tries < 10; ++tries) {
        status = ::mdb_env_set_mapsize(env_, 0);
        if (status == MDB_SUCCESS) status = ::mdb_txn_begin(env_, nullptr, flags, &txn);
    }
    if (status != MDB_SUCCESS)
        return std::unexpected(lmdb_error(status, place_, "a transaction cannot begin"));
    return Transaction(txn, (flags & MDB_RDONLY) == 0, tables_, place_);
}

Result<Transaction> Environment::begin_write() {
    return begin(0);
}

Result<Transaction> Environment::begin_read() const {
    return begin(MDB_RDONLY);
}

std::uint64_t Environment::map_bytes() const {
    MDB_envinfo info{};
    const int status = ::mdb_env_info(env_, &info);
    PAWL_ASSERT(status == MDB_SUCCESS);
    return info.me_mapsize;
}

Result<void> Environment::grow_to(std::uint64_t map_bytes) {
    PAWL_ASSERT(map_bytes >= this->map_bytes());
    const int status = ::mdb_env_set_mapsize(env_, map_bytes);
    if (status != MDB_SUCCESS) return std::unexpected(lmdb_error(status, place_, "its map cannot grow"));
    return {};
}

int Environment::clear_dead_readers() {
    int cleared = 0;
    ::mdb_reader_check(env_, &cleared);
    return cleared;
}

}  // namespace pawl::journal
