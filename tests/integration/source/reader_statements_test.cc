// In which statements, and on which connections, pages come from a real server.
#include "source/reader.h"

#include <catch2/catch.hpp>

#include "source/check.h"
#include "source/history_view.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;
using engine::Revision;

namespace {

// A counter of the session's: "Handler_read_next", "Com_begin".
std::uint64_t count_of(source::Connection& connection, const std::string& name) {
    const auto rows = connection.rows("SHOW SESSION STATUS LIKE '" + name + "'");
    if (!rows) FAIL(to_line(rows.error()));
    return std::stoull(rows->at(0).at(1).value());
}

source::Reader reader_of(TestDatabase& database) {
    const auto pipeline = TestDatabase::pipeline();
    const auto table = source::fit_table(database.connection(), database.settings(), pipeline);
    if (!table) FAIL(to_line(table.error()));
    return {*table, pipeline};
}

}  // namespace

TEST_CASE("a row that is looked at beside others is read in their snapshot") {
    TestDatabase database;
    database.make_history();
    database.execute("INSERT INTO history VALUES (1, 'a', '{}', 0), (2, 'b', '{}', 0)");
    auto reader = reader_of(database);
    auto request = everything();
    for (const bool beside : {false, true}) {
        request.beside = beside ? 1 : 0;
        const auto before = count_of(database.connection(), "Com_begin");
        REQUIRE(reader.read(database.connection(), request));
        CHECK(count_of(database.connection(), "Com_begin") - before == (beside ? 1 : 0));
    }
}

TEST_CASE("a fill jumps over a stretch without rows, however long") {
    TestDatabase database;
    database.make_history();
    database.execute(
        "INSERT INTO history VALUES (3, 'a', '{}', 0), (9000000000000000000, 'b', '{}', 0), "
        "(9000000000000000001, 'a', '{}', 1)");
    auto request = everything();
    request.revisions = engine::IntervalSet({{1, 9'000'000'000'000'000'005}});
    request.fill = true;
    source::Interrupt interrupt;
    auto view = source::HistoryView::open(database.settings(), TestDatabase::pipeline(),
                                          source::DocumentsRead::all, interrupt);
    REQUIRE(view);
    std::vector<Revision> found;
    int pages = 0;
    for (Revision from = 1; from <= request.revisions.highest(); ++pages) {
        REQUIRE(pages < 10);
        auto next = request;
        next.revisions = engine::IntervalSet({{from, request.revisions.highest()}});
        const auto page = view->read(next);
        REQUIRE(page);
        for (const Revision revision : revisions_of(**page))
            found.push_back(revision);
        from = (*page)->covered_through + 1;
    }
    CHECK(found == std::vector<Revision>{9'000'000'000'000'000'000, 9'000'000'000'000'000'001});
}

TEST_CASE("a fill's scan by two connections finds what one finds, and each walks over a part of the key") {
    TestDatabase database;
    database.make_history();
    // Ids that the collation holds equal, in an order that has nothing to do with theirs; one row in a
    // hundred revisions.
    database.execute(
        "INSERT INTO history SELECT 1 + 100 * seq, CONCAT(ELT(1 + seq MOD 3, 'e', 'E', 'e'), CRC32(seq MOD "
        "701), "
        "ELT(1 + seq MOD 2, '', ' ')), '{}', seq MOD 11 = 0 FROM seq_0_to_1600");
    auto request = everything();
    request.revisions = engine::IntervalSet({{1, 160'001}});
    request.fill = true;
    source::Interrupt interrupt;
    auto second = source::Connection::open(database.settings(), interrupt);
    REQUIRE(second);
    const auto alone = reader_of(database).read(database.connection(), request);
    const auto before = count_of(*second, "Handler_read_next");
    const auto together = reader_of(database).read(database.connection(), request, &*second);
    REQUIRE((alone && together));
    CHECK((*alone)->rows().size() > 701);
    CHECK(revisions_of(**together) == revisions_of(**alone));
    CHECK((*together)->seen == (*alone)->seen);
    const auto steps = count_of(*second, "Handler_read_next") - before;
    CHECK(steps > 1'601 / 4);
    CHECK(steps < 1'601 * 3 / 4);
}
