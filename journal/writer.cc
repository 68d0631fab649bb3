#include "journal/writer.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "journal/assembler.h"
#include "journal/change_writer.h"
#include "journal/environment.h"
#include "journal/file_reading.h"
#include "journal/format.h"
#include "journal/lock.h"
#include "journal/new_journal.h"
#include "journal/page_file.h"

namespace pawl::journal {
namespace {

namespace fs = std::filesystem;

// A reader that was killed keeps old pages from being used again; the file would grow with every commit.
constexpr std::uint64_t commits_per_reader_check = 1000;

Header new_header() {
    using namespace std::chrono;
    const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    return {format::version, now.count(), "pawl " PAWL_VERSION};
}

// The journal's contents, after looking at every page of it.
Result<Contents> checked_contents(const fs::path& folder) {
    auto reading = read_file(folder / format::data_file);
    if (!reading) {
        reading.error().kind = ErrorKind::storage;
        return std::unexpected(reading.error());
    }
    if (auto refusal = refusal_of(folder / format::data_file, *reading))
        return std::unexpected(std::move(*refusal));
    if (!reading->contents.damages.empty())
        return std::unexpected(damage_error(folder, reading->contents.damages));
    return std::move(reading->contents);
}

// What this pawl writes from now on an older one could misread: the header says so first. The commit record
// gets its first sum with it, where the older format has none.
Result<void> raise_format(Environment& environment, const Contents& contents) {
    auto transaction = environment.begin_write();
    if (!transaction) return std::unexpected(transaction.error());
    const Header header{format::version, contents.created_at, contents.created_by};
    auto done = transaction->put(format::Table::meta, format::header_key, encode_header(header));
    if (done) done = transaction->commit();
    return done;
}

CommittedBatches committed_in(const Contents& contents) {
    CommittedBatches committed;
    for (const PipelineSnapshot& snapshot : contents.pipelines)
        for (const Batch& batch : snapshot.batches)
            if (batch.state == BatchState::committed) committed[snapshot.pipeline.name].push_back(batch.id);
    return committed;
}

// LMDB wants whole pages.
std::uint64_t map_bytes(std::uint64_t bytes) {
    return bytes - bytes % (64U << 10);
}

std::uint64_t file_bytes(const fs::path& file) {
    struct stat status{};
    return ::stat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

struct Writer::Impl {
    fs::path folder;
    WriterLock lock;
    Environment environment;
    std::uint64_t map_bytes_max;
    CommittedBatches committed;
    std::vector<std::string> warnings;
    std::optional<Error> failure;  // of a commit; then there are no more
    std::uint64_t commits = 0;
    bool unmapped = false;  // LMDB has lost its map while growing it and must not be touched any more

    Result<void> commit(std::span<const Change> changes);
    // One try; `map_was_full` tells why it failed.
    Result<void> try_commit(std::span<const Change> changes, bool& map_was_full);
    bool make_room();
};

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::open(const fs::path& folder, const WriterOptions& options) {
    auto warnings = prepare_folder(folder);
    if (!warnings) return std::unexpected(warnings.error());
    auto lock = WriterLock::take(folder);
    if (!lock) return std::unexpected(lock.error());
    failpoint::at("after:lock_journal");

    const fs::path data_file = folder / format::data_file;
    struct stat status{};
    if (::lstat(data_file.c_str(), &status) != 0 && errno == ENOENT)
        if (auto made = make_journal(folder, new_header()); !made) return std::unexpected(made.error());
    if (auto synced = sync_journal(folder); !synced) return std::unexpected(synced.error());
    auto contents = checked_contents(folder);
    if (!contents) return std::unexpected(contents.error());
    if (::chmod(data_file.c_str(), 0600) != 0)
        warnings->push_back(data_file.string() + " belongs to another user");

    const std::uint64_t bytes_max = map_bytes(std::min(options.map_bytes_max, lmdb_map_bytes_max));
    const std::uint64_t begin_bytes = std::max(limits::map_bytes_initial, 2 * file_bytes(data_file));
    auto environment = Environment::open_to_write(folder, std::min(map_bytes(begin_bytes), bytes_max));
    if (!environment) return std::unexpected(environment.error());
    if (contents->format < format::version)
        if (auto raised = raise_format(*environment, *contents); !raised)
            return std::unexpected(raised.error());
    failpoint::at("after:open_journal");
    return Writer(std::make_unique<Impl>(folder, std::move(*lock), std::move(*environment), bytes_max,
                                         committed_in(*contents), std::move(*warnings)));
}

Result<void> Writer::Impl::try_commit(std::span<const Change> changes, bool& map_was_full) {
    auto transaction = environment.begin_write();
    if (!transaction) return std::unexpected(transaction.error());
    ChangeWriter writer(*transaction, committed);
    Result<void> done;
    for (const Change& change : changes) {
        done = writer.write(change);
        if (!done) break;
    }
    if (done) done = transaction->commit();
    map_was_full = transaction->map_was_full();
    if (!done) return done;
    for (auto& [pipeline, batches] : std::move(writer).take_committed())
        committed[pipeline] = std::move(batches);
    return done;
}

bool Writer::Impl::make_room() {
    if (environment.clear_dead_readers() > 0) return true;
    const std::uint64_t now = environment.map_bytes();
    if (now >= map_bytes_max) return false;
    unmapped = !environment.grow_to(std::min(2 * now, map_bytes_max));
    return !unmapped;
}

Result<void> Writer::Impl::commit(std::span<const Change> changes) {
    if (failure)
        return fail(ErrorKind::storage, "the journal takes nothing more after a failure: " + failure->message,
                    failure->advice);
    if (changes.empty()) return {};
    if (++commits % commits_per_reader_check == 0) environment.clear_dead_readers();
    bool map_was_full = false;
    Result<void> done = try_commit(changes, map_was_full);
    while (!done && map_was_full && make_room())
        done = try_commit(changes, map_was_full);
    if (!done) failure = done.error();
    return done;
}

Result<void> Writer::commit(std::span<const Change> changes) {
    PAWL_ASSERT(impl_ != nullptr);
    return impl_->commit(changes);
}

const std::vector<std::string>& Writer::warnings() const {
    PAWL_ASSERT(impl_ != nullptr);
    return impl_->warnings;
}

Result<std::vector<PipelineSnapshot>> Writer::read() const {
    PAWL_ASSERT(impl_ != nullptr);
    if (impl_->unmapped) return std::unexpected(*impl_->failure);
    auto contents = read_all(impl_->environment);
    if (!contents) return std::unexpected(contents.error());
    if (!contents->damages.empty()) return std::unexpected(damage_error(impl_->folder, contents->damages));
    return std::move(contents->pipelines);
}

}  // namespace pawl::journal
