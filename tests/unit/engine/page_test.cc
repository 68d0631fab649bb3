#include "engine/page.h"

#include <cstring>
#include <string>

#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "tests/unit/engine/rows.h"

using namespace pawl::engine;
using namespace pawl::engine::testing;

TEST_CASE("a page keeps the bytes of its rows, also when it grows by chunks") {
    Page page;
    const std::string large(limits::page_chunk_bytes / 3 * 2, 'x');
    for (Revision revision = 1; revision <= 5; ++revision) {
        const std::string entity = "e" + std::to_string(revision);
        page.add({revision, Action::index, entity, large, {}});
    }
    for (const Row& row : page.rows()) {
        CHECK(row.entity == "e" + std::to_string(row.revision));
        CHECK(row.document == large);
    }
    CHECK(page.bytes() == 5 * (large.size() + 2));
}

TEST_CASE("a document larger than a chunk has room") {
    Page page;
    const std::size_t bytes = limits::page_chunk_bytes * 2;
    char* const begin = page.allocate(bytes);
    std::memset(begin, 'y', bytes);
    char* const next = page.allocate(1);
    *next = 'z';
    CHECK(begin[bytes - 1] == 'y');
    CHECK(page.bytes() == bytes + 1);
}

TEST_CASE("an empty document takes no room") {
    Page page;
    page.add(remove_row(1, "e"));
    CHECK(page.rows().front().document.empty());
    CHECK(page.bytes() == 1);
}
