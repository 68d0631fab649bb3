#include "journal/page_check.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/core.h>

#include "journal/codec.h"
#include "journal/limits.h"

namespace pawl::journal {
namespace {

constexpr std::uint16_t tree_depth_max = 32;  // LMDB's CURSOR_STACK
constexpr std::string_view main_tree = "the list of tables";
constexpr std::string_view free_tree = "the list of free pages";

std::uint64_t number_in(std::string_view bytes) {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof(number));
    return number;
}

// Keys below this page lie in [lower, upper).
struct Bounds {
    std::string lower;
    std::optional<std::string> upper;
};

class Walk {
  public:
    using OnLeaf = std::function<void(const Node& node, std::string_view value)>;

    Walk(const PageFile& file, const Meta& meta, std::vector<Damage>& damages)
        : file_(file),
          meta_(meta),
          damages_(damages),
          used_(file.file_bytes() / file.page_bytes() + 1, false) {}

    void tree(std::string_view name, const TreeInfo& info, const OnLeaf& on_leaf);
    void free_pages();
    void damage(std::string where, std::string what);

  private:
    struct Tree {
        std::string_view name;
        std::uint16_t depth;
        std::uint64_t entries;  // seen
        const OnLeaf& on_leaf;
    };

    void visit(Tree& tree, PageNumber number, std::uint16_t level, const Bounds& bounds);
    void visit_leaf(Tree& tree, const Page& page, PageNumber number, const Bounds& bounds);
    void visit_branch(Tree& tree, const Page& page, PageNumber number, std::uint16_t level,
                      const Bounds& bounds);
    std::optional<std::string> big_data(const Tree& tree, const Node& node);
    bool claim(PageNumber first, std::uint64_t pages, std::string_view owner);
    void free_list(std::uint64_t transaction, std::string_view list);
    // LMDB compares the keys of the list of free pages as numbers.
    bool less(const Tree& tree, std::string_view left, std::string_view right) const;

    const PageFile& file_;
    const Meta& meta_;
    std::vector<Damage>& damages_;
    std::vector<bool> used_;  // by page number
    std::vector<PageNumber> free_;
    bool ordered_as_numbers_ = false;
};

std::string page_name(PageNumber number, std::string_view owner) {
    return fmt::format("page {} ({})", number, owner);
}

std::string table_name(std::string_view name) {
    return fmt::format("table {}", name);
}

void Walk::damage(std::string where, std::string what) {
    if (damages_.size() < limits::damages_max) damages_.push_back({std::move(where), std::move(what)});
}

bool Walk::less(const Tree&, std::string_view left, std::string_view right) const {
    if (ordered_as_numbers_ && left.size() == sizeof(std::uint64_t) && right.size() == sizeof(std::uint64_t))
        return number_in(left) < number_in(right);
    return left < right;
}

bool Walk::claim(PageNumber first, std::uint64_t pages, std::string_view owner) {
    const std::uint64_t file_pages = file_.file_bytes() / file_.page_bytes();
    if (first < meta_pages || first > meta_.last_page || pages > meta_.last_page - first + 1) {
        damage(page_name(first, owner), "there can be no such page in this file");
        return false;
    }
    if (first >= file_pages || pages > file_pages - first) {
        damage(page_name(first, owner),
               fmt::format("the file is cut short: {} bytes, {} are needed", file_.file_bytes(),
                           (first + pages) * file_.page_bytes()));
        return false;
    }
    for (PageNumber number = first; number < first + pages; ++number) {
        if (used_[number]) {
            damage(page_name(number, owner), "it is used twice");
            return false;
        }
        used_[number] = true;
    }
    return true;
}

void Walk::tree(std::string_view name, const TreeInfo& info, const OnLeaf& on_leaf) {
    const std::size_t damages_before = damages_.size();
    if ((info.root == no_page) != (info.entries == 0) || (info.root == no_page) != (info.depth == 0) ||
        info.depth > tree_depth_max) {
        damage(std::string(name),
               fmt::format("{} entries and depth {} with root page {}", info.entries, info.depth, info.root));
    }
    if (info.root == no_page) return;
    Tree tree{name, info.depth, 0, on_leaf};
    visit(tree, info.root, 1, {});
    if (damages_.size() == damages_before && tree.entries != info.entries)
        damage(std::string(name), fmt::format("{} entries instead of {}", tree.entries, info.entries));
}

void Walk::visit(Tree& tree, PageNumber number, std::uint16_t level, const Bounds& bounds) {
    if (level > tree_depth_max) return damage(page_name(number, tree.name), "it lies too deep");
    if (!claim(number, 1, tree.name)) return;
    const auto page = file_.page(number);
    if (!page) return damage(page_name(number, tree.name), page.error().message);
    const bool is_leaf = page->kind == PageKind::leaf;
    if (is_leaf != (level == tree.depth))
        damage(page_name(number, tree.name),
               fmt::format("a {} on level {} of {}", is_leaf ? "leaf" : "branch", level, tree.depth));
    if (page->nodes.empty()) return damage(page_name(number, tree.name), "it is empty");
    if (is_leaf)
        visit_leaf(tree, *page, number, bounds);
    else
        visit_branch(tree, *page, number, level, bounds);
}

void Walk::visit_branch(Tree& tree, const Page& page, PageNumber number, std::uint16_t level,
                        const Bounds& bounds) {
    for (std::size_t i = 0; i < page.nodes.size(); ++i) {
        Bounds below = bounds;
        if (i > 0) below.lower = page.nodes[i].key;  // LMDB never looks at the first key of a branch
        if (i + 1 < page.nodes.size()) below.upper = std::string(page.nodes[i + 1].key);
        const bool sorted =
            i == 0 || (!less(tree, below.lower, i == 1 ? bounds.lower : page.nodes[i - 1].key) &&
                       (!bounds.upper || less(tree, below.lower, *bounds.upper)));
        if (!sorted || (below.upper && !less(tree, below.lower, *below.upper)))
            damage(page_name(number, tree.name), fmt::format("key {} is out of order", i));
        visit(tree, page.nodes[i].child, static_cast<std::uint16_t>(level + 1), below);
    }
}

void Walk::visit_leaf(Tree& tree, const Page& page, PageNumber number, const Bounds& bounds) {
    std::string_view previous = bounds.lower;
    for (std::size_t i = 0; i < page.nodes.size(); ++i) {
        const Node& node = page.nodes[i];
        const bool above = i == 0 ? !less(tree, node.key, previous) : less(tree, previous, node.key);
        if (node.key.empty() || !above || (bounds.upper && !less(tree, node.key, *bounds.upper)))
            damage(page_name(number, tree.name), fmt::format("key {} is out of order", i));
        previous = node.key;
        ++tree.entries;
        if ((node.flags & node_big_data) == 0)
            tree.on_leaf(node, node.data);
        else if (const auto data = big_data(tree, node))
            tree.on_leaf(node, *data);
    }
}

std::optional<std::string> Walk::big_data(const Tree& tree, const Node& node) {
    const PageNumber first = number_in(node.data);
    const std::string owner = fmt::format("{}, key {}", tree.name, to_hex(node.key));
    const auto pages = file_.big_data_pages(first, node.data_bytes);
    if (!pages) {
        damage(page_name(first, owner), pages.error().message);
        return std::nullopt;
    }
    if (!claim(first, *pages, owner)) return std::nullopt;
    auto data = file_.big_data(first, node.data_bytes);
    if (!data) {
        damage(page_name(first, owner), data.error().message);
        return std::nullopt;
    }
    return std::move(*data);
}

void Walk::free_list(std::uint64_t transaction, std::string_view list) {
    const std::string where = fmt::format("{}, entry {}", free_tree, transaction);
    if (transaction == 0 || transaction > meta_.transaction)
        return damage(where, "it is of no known transaction");
    if (list.empty() || list.size() % sizeof(PageNumber) != 0)
        return damage(where, "it has a part of a number");
    const std::uint64_t count = number_in(list);
    // LMDB may leave an entry that it reserved and did not need: longer than its count of 0 says.
    if (count != 0 && count != list.size() / sizeof(PageNumber) - 1)
        return damage(where, fmt::format("{} pages in {} bytes", count, list.size()));
    PageNumber previous = no_page;
    for (std::uint64_t i = 1; i <= count; ++i) {
        const PageNumber number = number_in(list.substr(i * sizeof(PageNumber)));
        if (number < meta_pages || number > meta_.last_page || number >= previous)
            return damage(where, fmt::format("page {} is out of order or range", number));
        previous = number;
        free_.push_back(number);
    }
}

void Walk::free_pages() {
    ordered_as_numbers_ = true;
    tree(free_tree, meta_.free_pages, [this](const Node& node, std::string_view list) {
        if (node.key.size() != sizeof(std::uint64_t) || (node.flags & node_tree) != 0)
            damage(std::string(free_tree), "an entry without a transaction's number");
        else
            free_list(number_in(node.key), list);
    });
    ordered_as_numbers_ = false;
    // Free pages beyond the end of the file are no damage: LMDB never wrote them.
    used_.resize(std::max<std::size_t>(used_.size(), free_.empty() ? 0 : meta_.last_page + 1), false);
    for (const PageNumber number : free_) {
        if (used_[number]) damage(page_name(number, free_tree), "it is in use, or free twice");
        used_[number] = true;
    }
}

}  // namespace

std::vector<std::string> walk_snapshot(const PageFile& file, const Meta& meta, const OnRecord& on_record,
                                       std::vector<Damage>& damages) {
    std::vector<std::string> tables;
    Walk walk(file, meta, damages);
    walk.tree(main_tree, meta.main, [&](const Node& table, std::string_view value) {
        if (table.flags != node_tree || value.size() != tree_info_bytes)
            return walk.damage(std::string(main_tree), fmt::format("key {} is no table", to_hex(table.key)));
        const TreeInfo info = tree_info_in(value);
        const std::string name(table.key);
        tables.push_back(name);
        if (info.flags != 0 || info.pad != 0) walk.damage(table_name(name), "unknown flags");
        walk.tree(table_name(name), info, [&](const Node& node, std::string_view record) {
            if ((node.flags & node_tree) != 0)
                walk.damage(table_name(name), fmt::format("key {} is no record", to_hex(node.key)));
            else
                on_record(name, node.key, record);
        });
    });
    walk.free_pages();
    return tables;
}

namespace {

// Down one tree. The pages need not be used once: a loop ends at the depth.
std::optional<std::string> find_in_tree(const PageFile& file, const TreeInfo& info, std::string_view key) {
    PageNumber number = info.root;
    for (std::uint16_t level = 1; level <= std::min(info.depth, tree_depth_max); ++level) {
        const auto page = file.page(number);
        if (!page || page->nodes.empty()) return std::nullopt;
        if (page->kind == PageKind::leaf) {
            for (const Node& node : page->nodes)
                if (node.key == key && (node.flags & node_big_data) == 0) return std::string(node.data);
            return std::nullopt;
        }
        number = page->nodes.front().child;
        for (std::size_t i = 1; i < page->nodes.size() && page->nodes[i].key <= key; ++i)
            number = page->nodes[i].child;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> find_in_snapshot(const PageFile& file, const Meta& meta, std::string_view table,
                                            std::string_view key) {
    const auto info = find_in_tree(file, meta.main, table);
    if (!info || info->size() != tree_info_bytes) return std::nullopt;
    return find_in_tree(file, tree_info_in(*info), key);
}

}  // namespace pawl::journal
