// What PageFile refuses, field by field. The trees above the pages are page_check_test.cc's.
#include "journal/page_file.h"

#include <catch2/catch.hpp>

#include "journal/writer.h"
#include "tests/unit/journal/page_builder.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;

namespace {

// Places in a meta page: MDB_meta begins behind the page's header of 16 bytes.
constexpr std::size_t map_bytes_at = 16 + 16;
constexpr std::size_t page_bytes_at = 16 + 24;
constexpr std::size_t last_page_at = 16 + 24 + 2 * tree_info_bytes;
constexpr std::size_t transaction_at = last_page_at + 8;

PageFile file_of(const TemporaryFolder& folder, const std::string& bytes) {
    write_bytes(folder.path() / "data.mdb", bytes);
    auto file = PageFile::open(folder.path() / "data.mdb");
    REQUIRE(file);
    file->set_page_bytes(page_bytes);
    return std::move(*file);
}

std::string new_journal(const TemporaryFolder& folder) {
    REQUIRE(Writer::open(folder.journal()));
    return read_bytes(folder.journal() / "data.mdb");
}

// Why a page 2 with this number in it is refused.
std::string refusal(std::size_t at, std::uint64_t number, std::size_t width) {
    const TemporaryFolder folder;
    std::string page = leaf_page(2, {{"a", std::string(40, '\0')}, {"b", "2"}});
    set_number(page, at, number, width);
    const auto read = file_of(folder, std::string(2 * page_bytes, '\0') + page).page(2);
    REQUIRE_FALSE(read);
    return read.error().message;
}

}  // namespace

TEST_CASE("a folder is no data file, whoever opens it") {
    const TemporaryFolder folder;
    const auto file = PageFile::open(folder.path());
    REQUIRE_FALSE(file);
    CHECK(file.error().kind == ErrorKind::invalid);
    CHECK_THAT(file.error().message, Catch::Contains(folder.path().string() + " is no regular file"));
}

TEST_CASE("a meta page says which of its numbers cannot be") {
    const TemporaryFolder folder;
    const std::string bytes = new_journal(folder);
    REQUIRE(file_of(folder, bytes).meta(0));
    const auto with = [&](std::size_t at, std::uint64_t number, std::size_t width) {
        std::string changed = bytes;
        set_number(changed, at, number, width);
        const auto meta = file_of(folder, changed).meta(0);
        REQUIRE_FALSE(meta);
        CHECK(meta.error().kind == ErrorKind::storage);
        return meta.error().message;
    };
    CHECK(with(page_bytes_at, 5'000, 4) == "a page size of 5000 bytes");
    CHECK(with(page_bytes_at, page_bytes_min / 2, 4) == "a page size of 256 bytes");
    CHECK(with(page_bytes_at, page_bytes_max * 2, 4) == "a page size of 65536 bytes");
    CHECK(with(map_bytes_at, 5'000, 8) == "a map size of 5000 bytes");
    CHECK(with(last_page_at, 0, 8) == "0 as its last page");
    CHECK(with(last_page_at, 1U << 30, 8) == "1073741824 as its last page");
    CHECK(with(transaction_at, 17, 8) == "transaction 17, which belongs on the other meta page");
}

TEST_CASE("a page is none of the meta pages and none behind every map") {
    const TemporaryFolder folder;
    const PageFile file = file_of(folder, std::string(3 * page_bytes, '\0'));
    for (const PageNumber number : {PageNumber{0}, PageNumber{1}, no_page}) {
        const auto page = file.page(number);
        REQUIRE_FALSE(page);
        CHECK(page.error().message == "there can be no such page here");
    }
}

TEST_CASE("a page says what is wrong with its free space and its nodes' places") {
    constexpr std::size_t lower_at = 12;
    constexpr std::size_t upper_at = 14;
    constexpr std::size_t first_node_at = 16;
    CHECK_THAT(refusal(lower_at, 14, 2), Catch::StartsWith("free space from 14 to"));
    CHECK_THAT(refusal(lower_at, 19, 2), Catch::StartsWith("free space from 19 to"));
    CHECK_THAT(refusal(lower_at, 4'094, 2), Catch::StartsWith("free space from 4094 to"));
    CHECK(refusal(upper_at, 5'000, 2) == "free space from 20 to 5000");
    // Among the zeros of a value, which would be an empty node at an even place.
    CHECK(refusal(first_node_at, 4'060, 2) == "its nodes overlap or leave holes");
    CHECK(refusal(first_node_at, 4'061, 2) == "node 0 does not fit into the page");
    CHECK(refusal(first_node_at, 20, 2) == "node 0 does not fit into the page");
}
