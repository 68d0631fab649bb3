// LMDB's pages by hand, sound or not, in the layout of journal/page_file.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "journal/page_file.h"

namespace pawl::journal::test {

constexpr std::size_t page_bytes = 4096;

// `value` little-endian over the bytes from `at` on.
void set_number(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t width);

// The eight bytes of a number, as LMDB's list of free pages has it.
std::string number_bytes(std::uint64_t number);
// MDB_db, as the value of a table's node.
std::string tree_bytes(const TreeInfo& info);

struct LeafNode {
    std::string key;
    std::string value;  // of big data the number of its first page
    std::uint16_t flags = 0;
    std::uint32_t big_data_bytes = 0;  // of big data
};
std::string leaf_page(PageNumber number, const std::vector<LeafNode>& nodes);

struct BranchNode {
    std::string key;
    PageNumber child = 0;
};
std::string branch_page(PageNumber number, const std::vector<BranchNode>& nodes);

// The head of a run of `pages`, and the bytes behind it; a whole number of pages.
std::string big_data_run(PageNumber number, std::uint32_t pages, const std::string& bytes);

}  // namespace pawl::journal::test
