#include "journal/page_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include <catch2/catch.hpp>

#include "journal/limits.h"
#include "tests/unit/journal/page_builder.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

// A snapshot that a test builds page by page. Sound as it begins: one table "t" on page 3 with two records.
struct Snapshot {
    std::map<PageNumber, std::string> pages;
    Meta meta;
    TreeInfo table{0, 0, 1, 2, 3};

    Snapshot() {
        meta.page_bytes = page_bytes;
        meta.map_bytes = 1U << 20;
        meta.last_page = 20;
        meta.transaction = 7;
        meta.main = {0, 0, 1, 1, 2};
        meta.free_pages.flags = 0x08;
        pages[3] = leaf_page(3, {{"a", "1"}, {"b", "2"}});
    }

    // The list of tables; `table` is its only one when it is not said otherwise.
    void tables(const std::vector<LeafNode>& nodes) {
        pages[2] = leaf_page(2, nodes);
        meta.main.entries = nodes.size();
    }

    void free(const std::vector<std::pair<std::string, std::string>>& entries) {
        std::vector<LeafNode> nodes;
        for (const auto& [key, list] : entries)
            nodes.push_back({key, list});
        pages[4] = leaf_page(4, nodes);
        meta.free_pages.depth = 1;
        meta.free_pages.entries = nodes.size();
        meta.free_pages.root = 4;
    }

    // A free list of one transaction.
    void free_list(std::uint64_t transaction, const std::vector<std::uint64_t>& numbers) {
        std::string list;
        for (const std::uint64_t number : numbers)
            list += number_bytes(number);
        free({{number_bytes(transaction), list}});
    }
};

struct Found {
    std::vector<Damage> damages;
    std::vector<std::string> records;  // "t a=1"

    bool names(std::string_view where, std::string_view what) const {
        return std::ranges::any_of(damages, [&](const Damage& damage) {
            return damage.where.find(where) != std::string::npos &&
                   damage.what.find(what) != std::string::npos;
        });
    }
};

PageFile file_of(const TemporaryFolder& folder, Snapshot snapshot) {
    if (!snapshot.pages.contains(2)) snapshot.tables({{"t", tree_bytes(snapshot.table), node_tree}});
    std::string bytes((snapshot.meta.last_page + 1) * page_bytes, '\0');
    for (const auto& [number, page] : snapshot.pages)
        bytes.replace(number * page_bytes, page.size(), page);
    write_bytes(folder.path() / "data.mdb", bytes);
    auto file = PageFile::open(folder.path() / "data.mdb");
    REQUIRE(file);
    file->set_page_bytes(page_bytes);
    return std::move(*file);
}

Found walk(const Snapshot& snapshot) {
    const TemporaryFolder folder;
    const PageFile file = file_of(folder, snapshot);
    Found found;
    walk_snapshot(
        file, snapshot.meta,
        [&](std::string_view table, std::string_view key, std::string_view value) {
            found.records.push_back(std::string(table) + " " + std::string(key) + "=" + std::string(value));
        },
        found.damages);
    return found;
}

std::optional<std::string> find(const Snapshot& snapshot, std::string_view key) {
    const TemporaryFolder folder;
    const PageFile file = file_of(folder, snapshot);
    return find_in_snapshot(file, snapshot.meta, "t", key);
}

// The table as a branch on page 3 over leaves with these keys, on pages 5, 6, …
void two_levels(Snapshot& snapshot, const std::vector<std::string>& separators,
                const std::vector<std::vector<std::string>>& leaves) {
    std::vector<BranchNode> children;
    std::uint64_t entries = 0;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        std::vector<LeafNode> nodes;
        for (const std::string& key : leaves[i])
            nodes.push_back({key, "v"});
        entries += nodes.size();
        snapshot.pages[5 + i] = leaf_page(5 + i, nodes);
        children.push_back({separators.at(i), 5 + i});
    }
    snapshot.pages[3] = branch_page(3, children);
    snapshot.table.depth = 2;
    snapshot.table.entries = entries;
}

}  // namespace

TEST_CASE("a sound snapshot gives its records and no damage") {
    Snapshot snapshot;
    CHECK(walk(snapshot).damages.empty());
    CHECK(walk(snapshot).records == std::vector<std::string>{"t a=1", "t b=2"});
    two_levels(snapshot, {"", "c", "e"}, {{"a", "b"}, {"c", "d"}, {"e"}});
    snapshot.free_list(6, {2, 12, 11});
    CHECK(walk(snapshot).damages.empty());
    CHECK(walk(snapshot).records.size() == 5);
}

TEST_CASE("a tree's root, depth and number of entries must fit together") {
    const auto damage_of = [](const TreeInfo& table) {
        Snapshot snapshot;
        snapshot.table = table;
        return walk(snapshot);
    };
    CHECK(damage_of({0, 0, 0, 5, no_page}).names("table t", "5 entries and depth 0"));
    CHECK(damage_of({0, 0, 3, 0, no_page}).names("table t", "depth 3"));
    CHECK(damage_of({0, 0, 40, 2, 3}).names("table t", "depth 40"));
    CHECK(damage_of({0, 0, 1, 9, 3}).names("table t", "2 entries instead of 9"));
    CHECK(damage_of({0, 0, 0, 0, no_page}).damages.empty());
    CHECK(damage_of({0, 4, 1, 2, 3}).names("table t", "unknown flags"));
    CHECK(damage_of({4, 0, 1, 2, 3}).names("table t", "unknown flags"));
    CHECK(damage_of({0, 0, 2, 2, 3}).names("page 3", "a leaf on level 1 of 2"));
}

TEST_CASE("a branch where a leaf belongs is named, and its records are shown all the same") {
    Snapshot snapshot;
    two_levels(snapshot, {"", "c"}, {{"a"}, {"c"}});
    snapshot.table.depth = 1;
    const Found found = walk(snapshot);
    CHECK(found.names("page 3", "a branch on level 1 of 1"));
    CHECK(found.records.size() == 2);
}

TEST_CASE("branches that lie too deep end the walk") {
    Snapshot snapshot;
    snapshot.meta.last_page = 60;
    snapshot.table = {0, 0, 32, 1, 20};
    for (PageNumber number = 20; number < 60; ++number)
        snapshot.pages[number] = branch_page(number, {{"", number + 1}});
    CHECK(walk(snapshot).names("page 52", "it lies too deep"));
}

TEST_CASE("a page that is empty, out of the file or used twice is named") {
    Snapshot snapshot;
    snapshot.pages[3] = leaf_page(3, {});
    CHECK(walk(snapshot).names("page 3", "it is empty"));
    for (const PageNumber nowhere : {PageNumber{1}, PageNumber{21}, PageNumber{1} << 40}) {
        snapshot.table.root = nowhere;
        CHECK(walk(snapshot).names("page " + std::to_string(nowhere), "there can be no such page"));
    }
    snapshot.table.root = 2;
    CHECK(walk(snapshot).names("page 2", "it is used twice"));
}

TEST_CASE("keys out of order are named, on leaves, across leaves and in branches") {
    const auto leaf = [](const std::vector<LeafNode>& nodes) {
        Snapshot snapshot;
        snapshot.pages[3] = leaf_page(3, nodes);
        return walk(snapshot);
    };
    CHECK(leaf({{"b", "1"}, {"a", "2"}}).names("page 3", "key 1 is out of order"));
    CHECK(leaf({{"a", "1"}, {"a", "2"}}).names("page 3", "key 1 is out of order"));
    CHECK(leaf({{"", "1"}, {"a", "2"}}).names("page 3", "key 0 is out of order"));

    const auto levels = [](const std::vector<std::string>& separators,
                           const std::vector<std::vector<std::string>>& leaves) {
        Snapshot snapshot;
        two_levels(snapshot, separators, leaves);
        return walk(snapshot);
    };
    CHECK(levels({"", "c"}, {{"a", "d"}, {"e"}}).names("page 5", "key 1 is out of order"));
    CHECK(levels({"", "c"}, {{"a"}, {"b"}}).names("page 6", "key 0 is out of order"));
    CHECK(levels({"", "e", "c"}, {{"a"}, {"e"}, {"f"}}).names("page 3", "key 1 is out of order"));
    CHECK(levels({"", "c", "c"}, {{"a"}, {"c"}, {"d"}}).names("page 3", "key 1 is out of order"));
}

TEST_CASE("the separators of a lower branch must lie between those above it") {
    const auto lower = [](const std::vector<std::string>& separators) {
        Snapshot snapshot;
        snapshot.pages[3] = branch_page(3, {{"", 5}, {"g", 6}});
        snapshot.pages[5] = leaf_page(5, {{"a", "v"}});
        snapshot.pages[6] = branch_page(6, {{"", 7}, {separators[0], 8}});
        snapshot.pages[7] = leaf_page(7, {{"g", "v"}});
        snapshot.pages[8] = leaf_page(8, {{"m", "v"}});
        snapshot.table.depth = 3;
        return walk(snapshot);
    };
    CHECK(lower({"b"}).names("page 6", "key 1 is out of order"));
    CHECK_FALSE(lower({"m"}).names("page 6", "out of order"));
    const auto first = [](const std::string& separator) {
        Snapshot snapshot;
        snapshot.pages[3] = branch_page(3, {{"", 6}, {"g", 5}});
        snapshot.pages[5] = leaf_page(5, {{"g", "v"}});
        snapshot.pages[6] = branch_page(6, {{"", 7}, {separator, 8}});
        snapshot.pages[7] = leaf_page(7, {{"a", "v"}});
        snapshot.pages[8] = leaf_page(8, {{"c", "v"}});
        snapshot.table.depth = 3;
        return walk(snapshot);
    };
    CHECK(first("x").names("page 6", "key 1 is out of order"));
    CHECK_FALSE(first("c").names("page 6", "out of order"));
}

TEST_CASE("big data is read from its run, and a run that cannot be its own is named") {
    Snapshot snapshot;
    const std::string text(5'000, 'x');
    const auto refer = [&](PageNumber first, std::uint32_t bytes) {
        snapshot.pages[3] = leaf_page(3, {{"a", number_bytes(first), node_big_data, bytes}});
        snapshot.table.entries = 1;
        return walk(snapshot);
    };
    snapshot.pages[10] = big_data_run(10, 2, text);
    CHECK(refer(10, 5'000).damages.empty());
    CHECK(refer(10, 5'000).records == std::vector<std::string>{"t a=" + text});
    CHECK(refer(10, 9'000).names("page 10", "2 pages for 9000 bytes"));
    CHECK(refer(1, 5'000).names("page 1", "there can be no such page"));
    CHECK(refer(lmdb_map_bytes_max, 5'000).names("page", "there can be no such page"));
    CHECK(refer(3, 5'000).names("page 3", "it is no page of big data"));
    snapshot.pages[10] = big_data_run(10, 12, text);  // to page 21, beyond the last one
    CHECK(refer(10, 5'000).names("page 10", "there can be no such page"));
    snapshot.pages[10] = big_data_run(10, 1'000, text);
    CHECK(refer(10, 5'000).names("page 10", "a run of 1000 pages"));
    snapshot.pages[10] = big_data_run(10, 12, text);
    snapshot.meta.last_page = 20;
    Snapshot longer = snapshot;
    longer.meta.last_page = 40;
    const TemporaryFolder folder;
    const PageFile file = file_of(folder, snapshot);  // 21 pages, where the meta page promises 41
    std::vector<Damage> damages;
    walk_snapshot(file, longer.meta, [](auto, auto, auto) {}, damages);
    CHECK(Found{damages, {}}.names("page 10", "the file is cut short"));
}

TEST_CASE("only trees are tables, and only records are in them") {
    Snapshot snapshot;
    snapshot.tables({{"t", tree_bytes(snapshot.table)}});
    CHECK(walk(snapshot).names("the list of tables", "key 74 is no table"));
    snapshot.tables({{"t", "short", node_tree}});
    CHECK(walk(snapshot).names("the list of tables", "key 74 is no table"));
    CHECK_FALSE(find(snapshot, "a"));
    Snapshot nested;
    nested.pages[3] = leaf_page(3, {{"a", tree_bytes({}), node_tree}, {"b", "2"}});
    CHECK(walk(nested).names("table t", "key 61 is no record"));
    CHECK(walk(nested).records == std::vector<std::string>{"t b=2"});
}

TEST_CASE("the list of free pages is checked number by number") {
    const auto damage_of = [](std::uint64_t transaction, const std::vector<std::uint64_t>& numbers) {
        Snapshot snapshot;
        snapshot.free_list(transaction, numbers);
        return walk(snapshot);
    };
    CHECK(damage_of(6, {2, 12, 11}).damages.empty());
    CHECK(damage_of(6, {0, 12, 11}).damages.empty());  // reserved and not needed
    CHECK(damage_of(0, {1, 12}).names("entry 0", "no known transaction"));
    CHECK(damage_of(8, {1, 12}).names("entry 8", "no known transaction"));
    CHECK(damage_of(6, {}).names("entry 6", "part of a number"));
    CHECK(damage_of(6, {3, 12, 11}).names("entry 6", "3 pages in 24 bytes"));
    CHECK(damage_of(6, {2, 11, 12}).names("entry 6", "page 12 is out of order"));
    CHECK(damage_of(6, {1, 1}).names("entry 6", "page 1 is out of order or range"));
    CHECK(damage_of(6, {1, 21}).names("entry 6", "page 21 is out of order or range"));
    CHECK(damage_of(6, {1, 3}).names("page 3", "in use"));

    Snapshot snapshot;
    snapshot.free({{number_bytes(6), number_bytes(0) + "abc"}});
    CHECK(walk(snapshot).names("entry 6", "part of a number"));
    snapshot.free({{"abc", number_bytes(0)}});
    CHECK(walk(snapshot).names("the list of free pages", "without a transaction's number"));
    snapshot.pages[4] = leaf_page(4, {{number_bytes(6), number_bytes(0), node_tree}});
    CHECK(walk(snapshot).names("the list of free pages", "without a transaction's number"));
    // 256 comes after 2, though its first byte is lower.
    snapshot.meta.transaction = 300;
    snapshot.free({{number_bytes(2), number_bytes(0)}, {number_bytes(256), number_bytes(0)}});
    CHECK(walk(snapshot).damages.empty());
}

TEST_CASE("the list of damages has an end") {
    Snapshot snapshot;
    snapshot.meta.last_page = 2'000;
    std::string list = number_bytes(limits::damages_max);
    snapshot.pages[6] = list;
    std::vector<std::string> keys;
    for (int page = 0; page < 12; ++page) {
        std::vector<LeafNode> nodes;
        for (int i = 0; i < 100; ++i)
            nodes.push_back({"same", tree_bytes({}).substr(0, 4), node_tree});
        snapshot.pages[PageNumber{100} + static_cast<PageNumber>(page)] =
            leaf_page(PageNumber{100} + static_cast<PageNumber>(page), nodes);
    }
    std::vector<BranchNode> children;
    for (PageNumber page = 100; page < 112; ++page)
        children.push_back({std::string(1, static_cast<char>(page)), page});
    snapshot.pages[3] = branch_page(3, children);
    snapshot.table = {0, 0, 2, 1'200, 3};
    CHECK(walk(snapshot).damages.size() == limits::damages_max);
}

TEST_CASE("one key is found by the pages that lead to it, or not at all") {
    Snapshot snapshot;
    two_levels(snapshot, {"", "c", "e"}, {{"a", "b"}, {"c", "d"}, {"e"}});
    for (const std::string_view key : {"a", "b", "c", "d", "e"})
        CHECK(find(snapshot, key) == "v");
    CHECK_FALSE(find(snapshot, "x"));
    snapshot.table.depth = 1;  // the leaf is a level too deep
    CHECK_FALSE(find(snapshot, "a"));
    snapshot.table.depth = 2;
    snapshot.pages[5] = leaf_page(5, {});
    CHECK_FALSE(find(snapshot, "a"));
    snapshot.pages[5] = leaf_page(5, {{"a", number_bytes(10), node_big_data, 5'000}});
    CHECK_FALSE(find(snapshot, "a"));
}
