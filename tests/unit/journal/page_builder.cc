#include "tests/unit/journal/page_builder.h"

#include <algorithm>

namespace pawl::journal::test {
namespace {

constexpr std::size_t header_bytes = 16;

std::string node_of(std::uint16_t low, std::uint16_t high, std::uint16_t flags, const std::string& key,
                    const std::string& data) {
    std::string node(8, '\0');
    set_number(node, 0, low, 2);
    set_number(node, 2, high, 2);
    set_number(node, 4, flags, 2);
    set_number(node, 6, key.size(), 2);
    node += key + data;
    if (node.size() % 2 != 0) node.push_back('\0');
    return node;
}

std::string page_of(PageNumber number, std::uint16_t flags, const std::vector<std::string>& nodes) {
    std::string page(page_bytes, '\0');
    set_number(page, 0, number, 8);
    set_number(page, 10, flags, 2);
    std::size_t lower = header_bytes;
    std::size_t upper = page_bytes;
    for (const std::string& node : nodes) {
        upper -= node.size();
        std::ranges::copy(node, page.begin() + static_cast<std::ptrdiff_t>(upper));
        set_number(page, lower, upper, 2);
        lower += 2;
    }
    set_number(page, 12, lower, 2);
    set_number(page, 14, upper, 2);
    return page;
}

}  // namespace

void set_number(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i)
        bytes.at(at + i) = static_cast<char>(value >> (8 * i));
}

std::string number_bytes(std::uint64_t number) {
    std::string bytes(8, '\0');
    set_number(bytes, 0, number, 8);
    return bytes;
}

std::string tree_bytes(const TreeInfo& info) {
    std::string bytes(tree_info_bytes, '\0');
    set_number(bytes, 0, info.pad, 4);
    set_number(bytes, 4, info.flags, 2);
    set_number(bytes, 6, info.depth, 2);
    set_number(bytes, 32, info.entries, 8);
    set_number(bytes, 40, info.root, 8);
    return bytes;
}

std::string leaf_page(PageNumber number, const std::vector<LeafNode>& nodes) {
    std::vector<std::string> made;
    for (const LeafNode& node : nodes) {
        const bool is_big = (node.flags & node_big_data) != 0;
        const auto bytes = is_big ? node.big_data_bytes : static_cast<std::uint32_t>(node.value.size());
        made.push_back(node_of(static_cast<std::uint16_t>(bytes), static_cast<std::uint16_t>(bytes >> 16),
                               node.flags, node.key, node.value));
    }
    return page_of(number, 0x02, made);
}

std::string branch_page(PageNumber number, const std::vector<BranchNode>& nodes) {
    std::vector<std::string> made;
    for (const BranchNode& node : nodes)
        made.push_back(node_of(static_cast<std::uint16_t>(node.child),
                               static_cast<std::uint16_t>(node.child >> 16),
                               static_cast<std::uint16_t>(node.child >> 32), node.key, ""));
    return page_of(number, 0x01, made);
}

std::string big_data_run(PageNumber number, std::uint32_t pages, const std::string& bytes) {
    std::string run(header_bytes, '\0');
    set_number(run, 0, number, 8);
    set_number(run, 10, 0x04, 2);
    set_number(run, 12, pages, 4);
    run += bytes;
    run.resize((run.size() + page_bytes - 1) / page_bytes * page_bytes);
    return run;
}

}  // namespace pawl::journal::test
