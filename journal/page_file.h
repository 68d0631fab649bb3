// Pages of an LMDB data file, read with pread and believed in nothing: LMDB itself maps the file and crashes
// (SIGBUS, SIGSEGV, abort) on one that is cut short or has flipped bits.
//
// The layout is that of LMDB 0.9 on 64-bit little-endian machines (MDB_DATA_VERSION 1; MDB_page, MDB_node,
// MDB_db, MDB_meta in its mdb.c). Numbers are in host order, so a file does not move to a big-endian machine.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pawl::journal {

using PageNumber = std::uint64_t;
inline constexpr PageNumber no_page = ~PageNumber{0};  // the root of an empty tree
inline constexpr PageNumber meta_pages = 2;            // pages 0 and 1; transaction n writes page n % 2
inline constexpr std::uint32_t page_bytes_min = 512;
inline constexpr std::uint32_t page_bytes_max = 32768;
inline constexpr std::uint64_t lmdb_map_bytes_max = 1ULL << 40;  // no sane journal says more

// MDB_db: where a tree is and what is said of it. 48 bytes in the file.
struct TreeInfo {
    std::uint32_t pad = 0;
    std::uint16_t flags = 0;
    std::uint16_t depth = 0;
    std::uint64_t entries = 0;
    PageNumber root = no_page;
    bool operator==(const TreeInfo&) const = default;
};
inline constexpr std::size_t tree_info_bytes = 48;
TreeInfo tree_info_in(std::string_view bytes);  // of tree_info_bytes

// MDB_meta: the start of a snapshot.
struct Meta {
    std::uint32_t page_bytes = 0;
    std::uint64_t map_bytes = 0;
    TreeInfo free_pages;
    TreeInfo main;
    PageNumber last_page = 0;
    std::uint64_t transaction = 0;
    bool operator==(const Meta&) const = default;
};

enum class PageKind : std::uint8_t { branch, leaf };

// MDB_node, checked to lie within its page.
struct Node {
    std::string_view key;
    std::uint16_t flags = 0;       // leaf
    std::string_view data;         // leaf: what is in the page; of big data the number of its first page
    std::uint32_t data_bytes = 0;  // leaf: of the data wherever it is
    PageNumber child = 0;          // branch
};
inline constexpr std::uint16_t node_big_data = 0x01;
inline constexpr std::uint16_t node_tree = 0x02;

// A branch or leaf page. The nodes point into `bytes`, so it is moved and not copied.
struct Page {
    Page() = default;
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    Page(Page&&) = default;
    Page& operator=(Page&&) = default;

    std::vector<char> bytes;
    PageKind kind = PageKind::leaf;
    std::vector<Node> nodes;
};

// One thread. Owns its file descriptor.
class PageFile {
  public:
    // Errors, kind invalid: not there, not readable, no regular file.
    static Result<PageFile> open(const std::filesystem::path& file);
    PageFile(PageFile&& other) noexcept;
    PageFile& operator=(PageFile&&) = delete;
    PageFile(const PageFile&) = delete;
    PageFile& operator=(const PageFile&) = delete;
    ~PageFile();

    // The rest gives errors of kind storage whose message is what is wrong, without the place.

    // `which` is 0 or 1. The first one tells where the second one is; when that is unreadable the machine's
    // page size is tried.
    Result<Meta> meta(unsigned which);
    // For what follows.
    void set_page_bytes(std::uint32_t bytes) { page_bytes_ = bytes; }
    std::uint32_t page_bytes() const { return page_bytes_; }
    std::uint64_t file_bytes() const { return file_bytes_; }
    // A writer may have made the file longer since it was opened.
    void look_at_size_again();
    // The system failed to read a part that is there: perhaps only for now.
    bool read_failed() const { return read_failed_; }

    // Header, every node's place and size, and that the nodes fill the page as LMDB leaves them: without
    // overlap and without holes.
    Result<Page> page(PageNumber number) const;
    // How many pages the run of big data that begins here has; `data_bytes` must fit into them.
    Result<std::uint64_t> big_data_pages(PageNumber first, std::uint32_t data_bytes) const;
    Result<std::string> big_data(PageNumber first, std::uint32_t data_bytes) const;

  private:
    explicit PageFile(int descriptor) : descriptor_(descriptor) {}
    Result<std::string> read(std::uint64_t offset, std::size_t bytes) const;

    int descriptor_ = -1;
    std::uint64_t file_bytes_ = 0;
    std::uint32_t page_bytes_ = 4096;
    mutable bool read_failed_ = false;
};

}  // namespace pawl::journal
