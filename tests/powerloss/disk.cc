#include "tests/powerloss/disk.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <stdexcept>

#include "tests/unit/journal/support.h"

namespace pawl::powerloss {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t last_writes_kept = 64;
constexpr std::size_t all_of_them = std::numeric_limits<std::size_t>::max();

std::string parent_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

}  // namespace

std::string_view name_of(Loss loss) {
    constexpr std::array<std::string_view, static_cast<std::size_t>(Loss::count_of_them)> names{
        "nothing lost", "all unsynced lost", "tail lost", "torn", "dropped", "reordered", "grown"};
    return names.at(static_cast<std::size_t>(loss));
}

Trace::Trace(const std::string& file) : bytes_(journal::test::read_bytes(file)) {
    const std::string_view bytes = bytes_;
    std::size_t at = 0;
    while (at < bytes.size()) {
        TraceHeader header;
        if (bytes.size() - at < sizeof(header)) throw std::runtime_error("the trace is cut short");
        std::memcpy(&header, bytes.data() + at, sizeof(header));
        at += sizeof(header);
        const bool has_data = header.kind == TraceKind::write || header.kind == TraceKind::mark;
        const std::size_t data_bytes = has_data ? header.bytes : 0;
        if (bytes.size() - at < header.path_bytes + data_bytes)
            throw std::runtime_error("the trace is cut short");
        events_.push_back({header.kind, header.file, header.offset, header.bytes,
                           bytes.substr(at, header.path_bytes),
                           bytes.substr(at + header.path_bytes, data_bytes)});
        at += header.path_bytes + data_bytes;
    }
}

void Disk::Names::put(const NameChange& change) {
    switch (change.kind) {
        case TraceKind::create:
            files[change.path] = change.file;
            break;
        case TraceKind::make_folder:
            folders.insert(change.path);
            break;
        case TraceKind::rename:
            files.erase(change.path);
            files[change.to] = change.file;
            break;
        case TraceKind::remove:
            files.erase(change.path);
            folders.erase(change.path);
            break;
        default:
            throw std::runtime_error("no change of names");
    }
}

void Disk::put(const TraceEvent& event) {
    File* file = event.file != 0 ? &files_[event.file] : nullptr;
    switch (event.kind) {
        case TraceKind::create:
            *file = {};
            unsynced_names_.push_back({event.kind, std::string(event.path), {}, event.file});
            break;
        case TraceKind::make_folder:
        case TraceKind::remove:
            unsynced_names_.push_back({event.kind, std::string(event.path), {}, 0});
            break;
        case TraceKind::rename: {
            const auto split = event.path.find('\0');
            const std::string from(event.path.substr(0, split));
            Names now = names_;
            for (const NameChange& change : unsynced_names_)
                now.put(change);
            unsynced_names_.push_back(
                {event.kind, from, std::string(event.path.substr(split + 1)), now.files.at(from)});
            break;
        }
        case TraceKind::write:
            file->unsynced.push_back({event.offset, event.data});
            file->length = std::max(file->length, file->unsynced.back().end());
            last_writes_.emplace_back(event.file, file->unsynced.back());
            if (last_writes_.size() > last_writes_kept) {
                const auto& [oldest_file, oldest] = last_writes_.front();
                apply(oldest, 0, all_of_them, before_last_writes_[oldest_file]);
                last_writes_.erase(last_writes_.begin());
            }
            break;
        case TraceKind::sync_range: {
            // The sectors of the last write, with all that the page cache has for them.
            const Write last = file->unsynced.back();
            const std::uint64_t first_sector = last.offset / sector_bytes;
            const std::uint64_t last_sector = (last.end() - 1) / sector_bytes;
            for (const Write& write : file->unsynced)
                apply(write, first_sector, last_sector, file->durable);
            file->unsynced.pop_back();
            break;
        }
        case TraceKind::sync:
            for (const Write& write : file->unsynced)
                apply(write, 0, all_of_them, file->durable);
            file->unsynced.clear();
            if (file->durable.size() < file->length) file->durable.resize(file->length);
            break;
        case TraceKind::sync_folder:
            sync_folder(std::string(event.path));
            break;
        case TraceKind::truncate:
            file->unsynced.clear();
            file->durable.resize(event.offset);
            file->length = event.offset;
            break;
        case TraceKind::allocate:
            file->length = std::max(file->length, event.offset);
            break;
        case TraceKind::mark:
            break;
    }
}

// All changes up to the last one in this folder: the log of a file system keeps their order.
void Disk::sync_folder(const std::string& path) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < unsynced_names_.size(); ++i) {
        const NameChange& change = unsynced_names_[i];
        if (parent_of(change.path) == path || (!change.to.empty() && parent_of(change.to) == path))
            count = i + 1;
    }
    for (std::size_t i = 0; i < count; ++i)
        names_.put(unsynced_names_[i]);
    unsynced_names_.erase(unsynced_names_.begin(),
                          unsynced_names_.begin() + static_cast<std::ptrdiff_t>(count));
}

bool Disk::has_unsynced() const {
    return !unsynced_names_.empty() ||
           std::ranges::any_of(files_, [](const auto& file) { return !file.second.unsynced.empty(); });
}

// The part of a write that lies in these sectors.
void Disk::apply(const Write& write, std::uint64_t first_sector, std::uint64_t last_sector,
                 std::string& image) {
    const std::uint64_t begin = std::max(write.offset, first_sector * sector_bytes);
    const std::uint64_t end =
        last_sector == all_of_them ? write.end() : std::min(write.end(), (last_sector + 1) * sector_bytes);
    if (begin >= end) return;
    if (image.size() < end) image.resize(end);
    std::memcpy(image.data() + begin, write.data.data() + (begin - write.offset), end - begin);
}

std::string Disk::image_of(const File& file, Loss loss, Chance& chance) {
    std::string image = file.durable;
    const std::vector<Write>& writes = file.unsynced;
    if (writes.empty() || loss == Loss::all) return image;
    // The newest version of each sector that has arrived, as the number of a write; -1: none has.
    std::map<std::uint64_t, std::ptrdiff_t> versions;
    const auto arrive = [&](std::size_t number, std::uint64_t sectors_max) {
        const std::uint64_t first = writes[number].offset / sector_bytes;
        const std::uint64_t last = (writes[number].end() - 1) / sector_bytes;
        for (std::uint64_t sector = first; sector <= last && sector - first < sectors_max; ++sector)
            versions[sector] = static_cast<std::ptrdiff_t>(number);
    };
    const std::size_t cut = chance.below(writes.size() + (loss == Loss::tail ? 1 : 0));
    for (std::size_t i = 0; i < writes.size(); ++i) {
        if (loss == Loss::nothing) arrive(i, all_of_them);
        if ((loss == Loss::tail || loss == Loss::torn) && i < cut) arrive(i, all_of_them);
        if (loss == Loss::torn && i == cut) {
            const std::uint64_t sectors = (writes[i].data.size() + sector_bytes - 1) / sector_bytes;
            arrive(i, chance.below(sectors + 1));
        }
        if ((loss == Loss::dropped || loss == Loss::grown) && chance.one_in(2)) arrive(i, all_of_them);
        if (loss == Loss::reordered)
            for (std::uint64_t sector = writes[i].offset / sector_bytes;
                 sector * sector_bytes < writes[i].end(); ++sector)
                if (chance.one_in(2)) versions[sector] = static_cast<std::ptrdiff_t>(i);
    }
    for (const auto& [sector, version] : versions)
        for (std::ptrdiff_t i = 0; i <= version; ++i)
            apply(writes[static_cast<std::size_t>(i)], sector, sector, image);
    if (loss == Loss::grown && image.size() < file.length) image.resize(file.length);
    return image;
}

DiskState Disk::state_of(const Names& names, const std::map<std::uint64_t, std::string>& images) const {
    DiskState state;
    const auto has_folders = [&](const std::string& path) {
        // The one that everything lies in was there before.
        for (std::string parent = parent_of(path); !parent.empty(); parent = parent_of(parent))
            if (std::ranges::any_of(unsynced_names_,
                                    [&](const NameChange& change) {
                                        return change.kind == TraceKind::make_folder && change.path == parent;
                                    }) &&
                !names.folders.contains(parent))
                return false;
        return true;
    };
    for (const std::string& folder : names.folders)
        if (has_folders(folder)) state[folder + "/"] = {};
    for (const auto& [path, file] : names.files) {
        if (!has_folders(path)) continue;
        const auto image = images.find(file);
        state[path] = image == images.end() ? std::string() : image->second;
    }
    return state;
}

DiskState Disk::after(Loss loss, Chance& chance) const {
    Names names = names_;
    std::size_t changes = loss == Loss::nothing ? unsynced_names_.size() : 0;
    if (loss != Loss::nothing && loss != Loss::all) changes = chance.below(unsynced_names_.size() + 1);
    for (std::size_t i = 0; i < changes; ++i)
        names.put(unsynced_names_[i]);
    std::map<std::uint64_t, std::string> images;
    for (const auto& [number, file] : files_)
        images[number] = image_of(file, loss, chance);
    return state_of(names, images);
}

DiskState Disk::after_lies(std::size_t count, Chance& chance) const {
    std::map<std::uint64_t, std::string> images = before_last_writes_;
    for (std::size_t i = 0; i < last_writes_.size(); ++i) {
        const bool lied = i + count >= last_writes_.size();
        if (!lied || chance.one_in(2))
            apply(last_writes_[i].second, 0, all_of_them, images[last_writes_[i].first]);
    }
    Names names = names_;
    for (const NameChange& change : unsynced_names_)
        names.put(change);
    return state_of(names, images);
}

void write_state(const DiskState& state, const std::string& root, const std::string& folder) {
    fs::remove_all(folder);
    fs::create_directory(folder);
    fs::permissions(folder, fs::perms::owner_all);
    for (const auto& [path, content] : state) {
        if (!path.starts_with(root)) throw std::runtime_error("a path outside of the journal's folder");
        const std::string place = folder + path.substr(root.size());
        if (path.ends_with('/')) {
            fs::create_directories(place);
            fs::permissions(place, fs::perms::owner_all);
        } else {
            journal::test::write_bytes(place, content);
        }
    }
}

}  // namespace pawl::powerloss
