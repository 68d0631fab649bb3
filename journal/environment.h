// LMDB, opened on a journal's folder. The only place besides environment.cc that knows LMDB is
// new_journal.cc.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "journal/format.h"

struct MDB_env;
struct MDB_txn;

namespace pawl::journal {

// A write or read transaction; aborted unless committed. One thread; must not outlive its Environment. Views
// that it gives are valid until the next write or its end.
class Transaction {
  public:
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();

    // All errors: kind storage.
    Result<std::optional<std::string_view>> get(format::Table table, std::string_view key);
    // The commit record is not the caller's business: commit() writes it.
    Result<void> put(format::Table table, std::string_view key, std::string_view value);
    // No error when it is not there.
    Result<void> erase(format::Table table, std::string_view key);
    // Records whose key begins with `prefix`, in key order. `visit` must not write.
    using Visit = std::function<void(std::string_view key, std::string_view value)>;
    Result<void> each(format::Table table, std::string_view prefix, const Visit& visit);

    // Of a write transaction: with a new commit record, whose sum is the former one's and what put and erase
    // have changed; of all records that there are when the former one, of an older format, has none. On
    // success it is on disk.
    Result<void> commit();
    // A former call failed because the map is full: a larger map and a new transaction may help.
    bool map_was_full() const { return map_was_full_; }

  private:
    friend class Environment;
    class MetaPage;
    Transaction(MDB_txn* txn, bool writes, const std::array<unsigned, format::table_names.size()>& tables,
                std::string place)
        : txn_(txn), writes_(writes), tables_(tables), place_(std::move(place)) {}
    unsigned handle_of(format::Table table) const { return tables_[static_cast<std::size_t>(table)]; }
    std::unexpected<Error> failed(int status, std::string_view doing);
    // What the record of this key, if there is one, adds to the sum now.
    Result<std::uint64_t> present_sum_part(format::Table table, std::string_view key);
    // What the new commit record must say.
    Result<std::uint64_t> sum_of_records();
    Result<void> put_commit_record();

    MDB_txn* txn_ = nullptr;
    bool writes_ = false;
    std::uint64_t sum_change_ = 0;  // by put and erase, modulo 2^64
    std::array<unsigned, format::table_names.size()> tables_{};
    std::string place_;
    bool map_was_full_ = false;
};

// LMDB must not open one folder twice in a process; Environment does not look.
class Environment {
  public:
    // The file is there and has been checked (file_reading.h). `map_bytes` is the size to begin with.
    // Files that LMDB makes get mode 0600 whatever the umask.
    static Result<Environment> open_to_write(const std::filesystem::path& folder, std::uint64_t map_bytes);
    // For a look at a journal that another process has open to write. Never makes LMDB's lock file.
    static Result<Environment> open_to_read(const std::filesystem::path& folder);
    Environment(Environment&& other) noexcept;
    Environment& operator=(Environment&&) = delete;
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment();

    Result<Transaction> begin_write();
    // Follows a writer that has grown the map.
    Result<Transaction> begin_read() const;

    std::uint64_t map_bytes() const;
    // No transaction may be open.
    Result<void> grow_to(std::uint64_t map_bytes);
    // Readers that were killed hold pages back until somebody clears their slots. How many were cleared.
    int clear_dead_readers();

  private:
    Environment(MDB_env* env, std::string place) : env_(env), place_(std::move(place)) {}
    static Result<Environment> open(const std::filesystem::path& folder, std::uint64_t map_bytes,
                                    unsigned flags);
    Result<void> open_tables();
    Result<Transaction> begin(unsigned flags) const;

    MDB_env* env_ = nullptr;
    std::array<unsigned, format::table_names.size()> tables_{};
    std::string place_;
};

// Whether next to nothing is free on the file system of `folder`.
bool disk_is_full(const std::filesystem::path& folder);

// The error of a record that must be there and whole, and is not.
Error unusable_record(format::Table table, std::string_view key, std::string_view why);

// The error of an LMDB call. `place` is the folder, `doing` what was tried: "cannot be opened".
Error lmdb_error(int status, std::string_view place, std::string_view doing);

}  // namespace pawl::journal
