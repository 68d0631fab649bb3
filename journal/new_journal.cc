#include "journal/new_journal.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include <fmt/core.h>

#include "base/failpoint.h"
#include "journal/environment.h"
#include "journal/format.h"
#include "journal/limits.h"

namespace pawl::journal {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot_make(const fs::path& folder, int status) {
    return std::unexpected(lmdb_error(status, folder.string(), "cannot be made"));
}

int sync_at(const fs::path& place, int flags) {
    const int descriptor = ::open(place.c_str(), O_RDONLY | O_CLOEXEC | flags);
    if (descriptor < 0) return errno;
    const int status = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    return status;
}

// The folder that holds the journal's folder may be somebody else's, on a file system that is read-only or
// knows no fsync of folders: then pawl has not made the journal's folder either.
int sync_parent(const fs::path& folder) {
    const int status = sync_folder(folder / "..");
    const bool is_foreign = status == EACCES || status == EPERM || status == EROFS || status == EINVAL;
    return is_foreign ? 0 : status;
}

// The mode is set twice: mkdir and open leave out what the umask forbids, even to the owner.
int make_private_folder(const fs::path& folder) {
    return ::mkdir(folder.c_str(), 0700) == 0 && ::chmod(folder.c_str(), 0700) == 0 ? 0 : errno;
}

int make_private_file(const fs::path& file) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return errno;
    const int status = ::fchmod(descriptor, 0600) == 0 ? 0 : errno;
    ::close(descriptor);
    return status;
}

int write_tables(MDB_txn* txn, const Header& header) {
    const std::string header_value = encode_header(header);
    const std::uint64_t sum = sum_part_of(name_of(format::Table::meta), format::header_key, header_value);
    const std::string commit_value = encode_commit(::mdb_txn_id(txn), sum);
    int status = MDB_SUCCESS;
    for (const std::string_view table : format::table_names) {
        MDB_dbi handle = 0;
        status = ::mdb_dbi_open(txn, std::string(table).c_str(), MDB_CREATE, &handle);
        if (status != MDB_SUCCESS) return status;
        if (table != name_of(format::Table::meta)) continue;
        const std::array records{std::pair(format::header_key, std::string_view(header_value)),
                                 std::pair(format::commit_key, std::string_view(commit_value))};
        for (const auto& [name, content] : records) {
            MDB_val key{name.size(), const_cast<char*>(name.data())};
            MDB_val value{content.size(), const_cast<char*>(content.data())};
            status = ::mdb_put(txn, handle, &key, &value, 0);
            if (status != MDB_SUCCESS) return status;
        }
    }
    return status;
}

// LMDB may write into an empty file that is already there, which so has the mode that we gave it.
int write_data_file(const fs::path& folder, const Header& header) {
    MDB_env* env = nullptr;
    int status = ::mdb_env_create(&env);
    if (status != MDB_SUCCESS) return status;
    MDB_txn* txn = nullptr;
    status = ::mdb_env_set_maxdbs(env, format::table_names.size());
    if (status == MDB_SUCCESS) status = ::mdb_env_set_mapsize(env, limits::map_bytes_initial);
    if (status == MDB_SUCCESS) status = ::mdb_env_open(env, folder.c_str(), MDB_NOLOCK, 0600);
    if (status == MDB_SUCCESS) status = ::mdb_txn_begin(env, nullptr, 0, &txn);
    if (status == MDB_SUCCESS) {
        status = write_tables(txn, header);
        if (status == MDB_SUCCESS)
            status = ::mdb_txn_commit(txn);
        else
            ::mdb_txn_abort(txn);
    }
    ::mdb_env_close(env);
    return status;
}

}  // namespace

int sync_folder(const fs::path& folder) {
    return sync_at(folder, O_DIRECTORY);
}

Result<void> sync_journal(const fs::path& folder) {
    const fs::path data_file = folder / format::data_file;
    int status =
        ::access(data_file.c_str(), R_OK) == 0 ? sync_at(data_file, 0) : 0;  // who reads it will say so
    if (status == 0) status = sync_folder(folder);
    if (status == 0) status = sync_parent(folder);
    if (status == 0) return {};
    return std::unexpected(lmdb_error(status, folder.string(), "what is there cannot be made durable"));
}

Result<std::vector<std::string>> prepare_folder(const fs::path& folder) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) {
        if (errno != ENOENT) return cannot_make(folder, errno);
        if (const int made = make_private_folder(folder); made != 0) return cannot_make(folder, made);
        return {};
    }
    if (!S_ISDIR(status.st_mode)) return cannot_make(folder, ENOTDIR);
    std::vector<std::string> warnings;
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        warnings.push_back(
            fmt::format("the journal's folder {} is open to other users (mode {:04o}): chmod 700 it",
                        folder.string(), status.st_mode & 07777U));
    return warnings;
}

Result<void> make_journal(const fs::path& folder, const Header& header) {
    const fs::path aside = folder / format::new_folder;
    std::error_code ignored;  // what is left from a crash; when it cannot go, mkdir says why
    fs::remove_all(aside, ignored);
    const fs::path made = aside / format::data_file;
    int status = make_private_folder(aside);
    failpoint::at("before:make_journal");
    if (status == 0) status = make_private_file(made);
    if (status == 0) status = write_data_file(aside, header);
    failpoint::at("during:make_journal");
    if (status == 0 && ::rename(made.c_str(), (folder / format::data_file).c_str()) != 0) status = errno;
    failpoint::at("after:make_journal");
    fs::remove_all(aside, ignored);
    if (status == 0) status = sync_folder(folder);
    if (status != 0) return cannot_make(folder, status);
    return {};
}

}  // namespace pawl::journal
