#include "journal/page_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>

namespace pawl::journal {
namespace {

static_assert(std::endian::native == std::endian::little, "LMDB's files are in host order");

// MDB_page
constexpr std::size_t page_header_bytes = 16;
constexpr std::size_t page_number_offset = 0;
constexpr std::size_t page_flags_offset = 10;
constexpr std::size_t page_lower_offset = 12;  // begin of the free space, behind the nodes' offsets
constexpr std::size_t page_upper_offset = 14;  // end of the free space
constexpr std::size_t page_run_offset = 12;    // of big data: how many pages
constexpr std::uint16_t branch_flag = 0x01;
constexpr std::uint16_t leaf_flag = 0x02;
constexpr std::uint16_t big_data_flag = 0x04;
constexpr std::uint16_t meta_flag = 0x08;

// MDB_node
constexpr std::size_t node_header_bytes = 8;
constexpr std::size_t key_bytes_max = 511;

// MDB_meta, behind the page header
constexpr std::size_t meta_bytes = 136;
constexpr std::uint32_t meta_magic = 0xBEEFC0DE;
constexpr std::uint32_t meta_version = 1;
constexpr std::size_t meta_trees_offset = 24;
constexpr std::uint16_t free_tree_flags = 0x08;  // MDB_INTEGERKEY

template <class Number>
Number number_at(std::string_view bytes, std::size_t offset) {
    Number number = 0;
    std::memcpy(&number, bytes.data() + offset, sizeof(number));
    return number;
}

std::unexpected<Error> damaged(std::string what) {
    return fail(ErrorKind::storage, std::move(what));
}

std::size_t even(std::size_t bytes) {
    return (bytes + 1) & ~std::size_t{1};
}

Result<Meta> parse_meta(std::string_view page, unsigned which) {
    const std::string_view bytes = page.substr(page_header_bytes);
    if (number_at<std::uint32_t>(bytes, 0) != meta_magic) return damaged("it has no LMDB magic number");
    if (const auto version = number_at<std::uint32_t>(bytes, 4); version != meta_version)
        return damaged(fmt::format("LMDB data version {} instead of {}", version, meta_version));
    if (number_at<std::uint16_t>(page, page_flags_offset) != meta_flag) return damaged("it is no meta page");
    if (number_at<std::uint64_t>(page, page_number_offset) != which)
        return damaged("it has another page's number");

    Meta meta;
    meta.map_bytes = number_at<std::uint64_t>(bytes, 16);
    meta.free_pages = tree_info_in(bytes.substr(meta_trees_offset, tree_info_bytes));
    meta.main = tree_info_in(bytes.substr(meta_trees_offset + tree_info_bytes, tree_info_bytes));
    meta.last_page = number_at<std::uint64_t>(bytes, meta_trees_offset + 2 * tree_info_bytes);
    meta.transaction = number_at<std::uint64_t>(bytes, meta_trees_offset + 2 * tree_info_bytes + 8);
    meta.page_bytes = meta.free_pages.pad;
    if (!std::has_single_bit(meta.page_bytes) || meta.page_bytes < page_bytes_min ||
        meta.page_bytes > page_bytes_max)
        return damaged(fmt::format("a page size of {} bytes", meta.page_bytes));
    if (meta.free_pages.flags != free_tree_flags || meta.main.flags != 0 || meta.main.pad != 0)
        return damaged("unknown flags");
    if (meta.map_bytes > lmdb_map_bytes_max || meta.map_bytes % meta.page_bytes != 0)
        return damaged(fmt::format("a map size of {} bytes", meta.map_bytes));
    // LMDB never takes a page from beyond its map.
    if (meta.last_page + 1 < meta_pages || meta.last_page >= meta.map_bytes / meta.page_bytes)
        return damaged(fmt::format("{} as its last page", meta.last_page));
    if (meta.transaction != 0 && meta.transaction % meta_pages != which)
        return damaged(fmt::format("transaction {}, which belongs on the other meta page", meta.transaction));
    return meta;
}

// One node of a page whose offset is known to lie in the page; its size in the page, or 0 when it does not
// fit.
std::size_t parse_node(std::string_view page, std::size_t offset, PageKind kind, Node& node) {
    if (offset + node_header_bytes > page.size()) return 0;
    const auto low = number_at<std::uint16_t>(page, offset);
    const auto high = number_at<std::uint16_t>(page, offset + 2);
    const auto flags = number_at<std::uint16_t>(page, offset + 4);
    const std::size_t key_bytes = number_at<std::uint16_t>(page, offset + 6);
    const std::size_t room = page.size() - offset - node_header_bytes;
    if (key_bytes > key_bytes_max || key_bytes > room) return 0;
    node.key = page.substr(offset + node_header_bytes, key_bytes);
    if (kind == PageKind::branch) {
        node.child = low | PageNumber{high} << 16 | PageNumber{flags} << 32;
        return even(node_header_bytes + key_bytes);
    }
    node.flags = flags;
    node.data_bytes = low | std::uint32_t{high} << 16;
    const std::size_t bytes_in_page = (flags & node_big_data) != 0 ? sizeof(PageNumber) : node.data_bytes;
    const bool known = flags == 0 || flags == node_big_data || flags == node_tree;
    if (!known || bytes_in_page > room - key_bytes) return 0;
    node.data = page.substr(offset + node_header_bytes + key_bytes, bytes_in_page);
    return even(node_header_bytes + key_bytes + bytes_in_page);
}

struct Extent {
    std::size_t begin = 0;
    std::size_t bytes = 0;
};

bool fill_exactly(std::vector<Extent>& extents, std::size_t begin, std::size_t end) {
    std::sort(extents.begin(), extents.end(),
              [](const Extent& left, const Extent& right) { return left.begin < right.begin; });
    for (const Extent& extent : extents) {
        if (extent.begin != begin) return false;
        begin += extent.bytes;
    }
    return begin == end;
}

}  // namespace

TreeInfo tree_info_in(std::string_view bytes) {
    TreeInfo info;
    info.pad = number_at<std::uint32_t>(bytes, 0);
    info.flags = number_at<std::uint16_t>(bytes, 4);
    info.depth = number_at<std::uint16_t>(bytes, 6);
    info.entries = number_at<std::uint64_t>(bytes, 32);
    info.root = number_at<std::uint64_t>(bytes, 40);
    return info;
}

Result<PageFile> PageFile::open(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return fail(ErrorKind::invalid,
                    fmt::format("{} cannot be read: {}", file.string(), std::strerror(errno)),
                    errno == ENOENT ? "look whether the path is a journal's folder"
                                    : "run this as the user that pawl runs as");
    PageFile opened(descriptor);
    struct stat status{};
    if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return fail(ErrorKind::invalid, fmt::format("{} is no regular file", file.string()),
                    "look whether the path is a journal's folder");
    opened.file_bytes_ = static_cast<std::uint64_t>(status.st_size);
    return opened;
}

PageFile::PageFile(PageFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      file_bytes_(other.file_bytes_),
      page_bytes_(other.page_bytes_) {}

PageFile::~PageFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void PageFile::look_at_size_again() {
    struct stat status{};
    if (::fstat(descriptor_, &status) == 0) file_bytes_ = static_cast<std::uint64_t>(status.st_size);
}

Result<std::string> PageFile::read(std::uint64_t offset, std::size_t bytes) const {
    // Looked at before memory is taken: `bytes` comes from the file.
    if (offset > file_bytes_ || bytes > file_bytes_ - offset)
        return damaged(
            fmt::format("the file is cut short: {} bytes, {} are needed", file_bytes_, offset + bytes));
    std::string buffer(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
        const ssize_t got =
            ::pread(descriptor_, buffer.data() + done, bytes - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            read_failed_ = true;
            return damaged(fmt::format("it cannot be read: {}", std::strerror(errno)));
        }
        if (got == 0) return damaged("the file became shorter while it was read");
        done += static_cast<std::size_t>(got);
    }
    return buffer;
}

Result<Meta> PageFile::meta(unsigned which) {
    auto page_bytes = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
    page_bytes = std::min(page_bytes, page_bytes_max);
    if (which == 1)
        if (const auto first = meta(0)) page_bytes = first->page_bytes;
    const auto bytes = read(std::uint64_t{which} * page_bytes, page_header_bytes + meta_bytes);
    if (!bytes) return std::unexpected(bytes.error());
    return parse_meta(*bytes, which);
}

Result<Page> PageFile::page(PageNumber number) const {
    if (number < meta_pages || number >= lmdb_map_bytes_max / page_bytes_)
        return damaged("there can be no such page here");
    const auto read_bytes = read(number * page_bytes_, page_bytes_);
    if (!read_bytes) return std::unexpected(read_bytes.error());

    Page page;
    page.bytes.assign(read_bytes->begin(), read_bytes->end());
    const std::string_view bytes(page.bytes.data(), page.bytes.size());
    if (number_at<std::uint64_t>(bytes, page_number_offset) != number)
        return damaged("it has another page's number");
    const auto flags = number_at<std::uint16_t>(bytes, page_flags_offset);
    if (flags != branch_flag && flags != leaf_flag)
        return damaged(fmt::format("page flags {:#06x} are neither a branch's nor a leaf's", flags));
    page.kind = flags == branch_flag ? PageKind::branch : PageKind::leaf;

    const std::size_t lower = number_at<std::uint16_t>(bytes, page_lower_offset);
    const std::size_t upper = number_at<std::uint16_t>(bytes, page_upper_offset);
    if (lower < page_header_bytes || lower % 2 != 0 || lower > upper || upper > bytes.size())
        return damaged(fmt::format("free space from {} to {}", lower, upper));
    const std::size_t count = (lower - page_header_bytes) / 2;
    std::vector<Extent> extents;
    extents.reserve(count);
    page.nodes.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t offset = number_at<std::uint16_t>(bytes, page_header_bytes + 2 * i);
        const std::size_t size =
            offset < upper || offset % 2 != 0 ? 0 : parse_node(bytes, offset, page.kind, page.nodes[i]);
        if (size == 0) return damaged(fmt::format("node {} does not fit into the page", i));
        extents.push_back({offset, size});
    }
    if (!fill_exactly(extents, upper, bytes.size())) return damaged("its nodes overlap or leave holes");
    return page;
}

Result<std::uint64_t> PageFile::big_data_pages(PageNumber first, std::uint32_t data_bytes) const {
    if (first < meta_pages || first >= lmdb_map_bytes_max / page_bytes_)
        return damaged("there can be no such page here");
    const auto header = read(first * page_bytes_, page_header_bytes);
    if (!header) return std::unexpected(header.error());
    if (number_at<std::uint64_t>(*header, page_number_offset) != first)
        return damaged("it has another page's number");
    if (number_at<std::uint16_t>(*header, page_flags_offset) != big_data_flag)
        return damaged("it is no page of big data");
    const std::uint64_t pages = number_at<std::uint32_t>(*header, page_run_offset);
    const std::uint64_t needed =
        (page_header_bytes + std::uint64_t{data_bytes} + page_bytes_ - 1) / page_bytes_;
    if (pages < needed) return damaged(fmt::format("{} pages for {} bytes", pages, data_bytes));
    if (pages > file_bytes_ / page_bytes_ + 1) return damaged(fmt::format("a run of {} pages", pages));
    return pages;
}

Result<std::string> PageFile::big_data(PageNumber first, std::uint32_t data_bytes) const {
    return read(first * page_bytes_ + page_header_bytes, data_bytes);
}

}  // namespace pawl::journal
