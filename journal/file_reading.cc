#include "journal/file_reading.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "journal/assembler.h"
#include "journal/format.h"
#include "journal/page_check.h"

namespace pawl::journal {
namespace {

using format::Table;

// A meta page and the transaction that its records say they are of. LMDB's meta pages have no checksum, and a
// flipped bit in one would let LMDB take an older snapshot for the newest; the commit record tells.
struct Start {
    Meta meta;
    std::optional<std::uint64_t> recorded;

    std::uint64_t age() const { return recorded.value_or(meta.transaction); }
};

using Starts = std::array<Result<Start>, meta_pages>;

std::string meta_page(std::size_t which) {
    return fmt::format("page {} (meta)", which);
}

Result<Start> read_start(PageFile& file, unsigned which) {
    const auto meta = file.meta(which);
    if (!meta) return std::unexpected(meta.error());
    Start start{*meta, std::nullopt};
    file.set_page_bytes(meta->page_bytes);
    file.look_at_size_again();  // what this snapshot needs was written before its meta page
    const auto value = find_in_snapshot(file, *meta, name_of(Table::meta), format::commit_key);
    if (value)
        if (const auto commit = decode_commit(format::commit_key, *value))
            start.recorded = commit->transaction;
    return start;
}

void check_starts(const Starts& starts, Assembler& assembler) {
    for (std::size_t which = 0; which < starts.size(); ++which) {
        if (!starts[which]) {
            assembler.add_damage(meta_page(which), starts[which].error().message);
            continue;
        }
        const Start& start = *starts[which];
        if (start.recorded && *start.recorded != start.meta.transaction)
            assembler.add_damage(meta_page(which),
                                 fmt::format("transaction {}, but its records are of transaction {}",
                                             start.meta.transaction, *start.recorded));
    }
    if (!starts[0] || !starts[1]) return;
    const std::uint64_t first = starts[0]->meta.transaction;
    const std::uint64_t second = starts[1]->meta.transaction;
    if (std::max(first, second) - std::min(first, second) != 1)
        assembler.add_damage("pages 0 and 1 (meta)",
                             fmt::format("transactions {} and {} do not follow each other", first, second));
    if (starts[0]->meta.page_bytes != starts[1]->meta.page_bytes)
        assembler.add_damage("pages 0 and 1 (meta)", "they differ in the page size");
}

const Start& newest_of(const Starts& starts) {
    if (!starts[0]) return *starts[1];
    if (!starts[1]) return *starts[0];
    return starts[0]->age() > starts[1]->age() ? *starts[0] : *starts[1];
}

void check_tables(const std::vector<std::string>& found, Assembler& assembler) {
    for (const std::string_view table : format::table_names)
        if (std::ranges::find(found, table) == found.end())
            assembler.add_damage(fmt::format("table {}", table), "it is missing");
    for (const std::string& table : found)
        if (std::ranges::find(format::table_names, table) == format::table_names.end())
            assembler.add_damage(fmt::format("table {}", table), "it is unknown");
}

bool same_start(PageFile& file, const Starts& starts) {
    for (unsigned which = 0; which < starts.size(); ++which) {
        const auto meta = file.meta(which);
        if (meta.has_value() != starts[which].has_value()) return false;
        if (meta && *meta != starts[which]->meta) return false;
    }
    return true;
}

FileReading no_journal(FileKind kind, std::string why, bool read_failed) {
    FileReading reading;
    reading.kind = kind;
    reading.why_none = std::move(why);
    reading.read_failed = read_failed;
    return reading;
}

}  // namespace

Error newer_format(const std::filesystem::path& data_file, std::uint32_t format) {
    return {ErrorKind::storage,
            fmt::format("{} has format {}, this pawl knows formats up to {}", data_file.string(), format,
                        format::version),
            "use the newer pawl that wrote it"};
}

std::optional<Error> refusal_of(const std::filesystem::path& data_file, const FileReading& reading) {
    if (reading.kind == FileKind::journal) return std::nullopt;
    if (reading.kind == FileKind::newer_journal) return newer_format(data_file, reading.contents.format);
    std::string advice = "look whether journal.path is right";
    if (reading.kind == FileKind::no_lmdb)
        advice +=
            "; if it is and the file is damaged, `pawl recover --discard-journal` sets it aside and begins "
            "anew";
    return Error{ErrorKind::storage,
                 fmt::format("{} is no journal of pawl: {}", data_file.string(), reading.why_none),
                 std::move(advice)};
}

Error damage_error(const std::filesystem::path& folder, const std::vector<Damage>& damages) {
    PAWL_ASSERT(!damages.empty());
    const Damage& first = damages.front();
    std::string message =
        fmt::format("the journal {} is damaged: {}: {}", folder.string(), first.where, first.what);
    if (damages.size() > 1) message += fmt::format(" (and {} more)", damages.size() - 1);
    return {
        ErrorKind::storage, std::move(message),
        "nothing was changed; `pawl dump` shows what can be read; `pawl recover --discard-journal` sets the "
        "file aside and begins anew: the history is read once more, which does no harm"};
}

Result<FileReading> read_file(const std::filesystem::path& data_file) {
    auto file = PageFile::open(data_file);
    if (!file) return std::unexpected(file.error());
    Starts starts{read_start(*file, 0), read_start(*file, 1)};
    if (!starts[0] && !starts[1])
        return no_journal(FileKind::no_lmdb, "page 0: " + starts[0].error().message, file->read_failed());

    Assembler assembler;
    check_starts(starts, assembler);
    const Start& newest = newest_of(starts);
    file->set_page_bytes(newest.meta.page_bytes);
    std::vector<Damage> damages;
    const auto tables = walk_snapshot(
        *file, newest.meta,
        [&](std::string_view table, std::string_view key, std::string_view value) {
            assembler.add(table, key, value);
        },
        damages);
    if (!assembler.header() && damages.empty() &&
        std::ranges::find(tables, name_of(Table::meta)) == tables.end())
        return no_journal(FileKind::other_lmdb, "it is an LMDB file of something else", file->read_failed());

    check_tables(tables, assembler);
    if (!newest.recorded)
        assembler.add_damage(place_of(name_of(Table::meta), format::commit_key), "it is missing");
    if (!assembler.header())
        assembler.add_damage(place_of(name_of(Table::meta), format::header_key), "it is missing");
    for (Damage& damage : damages)
        assembler.add_damage(std::move(damage.where), std::move(damage.what));
    FileReading reading;
    reading.changed_meanwhile = !same_start(*file, starts);
    reading.read_failed = file->read_failed();
    reading.contents = std::move(assembler).finish();
    if (reading.contents.format > format::version) reading.kind = FileKind::newer_journal;
    return reading;
}

}  // namespace pawl::journal
