// How far a pipeline has come, for a person.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "ops/feed_progress.h"

using namespace pawl::ops;

namespace {

struct Lines {
    std::vector<std::string> all;
    FeedProgress progress{"filling", [this](const std::string& line) { all.push_back(line); }};
};

}  // namespace

TEST_CASE("progress is told every few seconds, with what is left") {
    Lines lines;
    lines.progress.look({0, 0}, 0);
    lines.progress.look({100'000, 1'000'000}, 1'000);
    lines.progress.look({120'000, 1'000'000}, 3'000);
    CHECK(lines.all.empty());
    lines.progress.look({200'000, 1'000'000}, 6'000);
    lines.progress.look({201'000, 1'000'000}, 7'000);
    REQUIRE(lines.all.size() == 1);
    CHECK(lines.all[0] == "filling: 20 % (200000 of 1000000 revisions), 20000 revisions/s, 40 s left");
    lines.progress.look({1'000'000, 1'000'000}, 60'000);
    CHECK(lines.all.size() == 1);
}

TEST_CASE("nothing is told while nothing is done, such as while a server is away") {
    Lines lines;
    lines.progress.look({10, 1'000}, 1'000);
    lines.progress.look({10, 1'000}, 50'000);
    CHECK(lines.all.empty());
    lines.progress.look({210, 1'000}, 51'000);  // of a batch that took so long
    REQUIRE(lines.all.size() == 1);
    CHECK(lines.all[0] == "filling: 21 % (210 of 1000 revisions), 4 revisions/s, 3 min left");
    lines.progress.look({210, 1'000}, 112'000);
    lines.progress.look({260, 1'000}, 117'000);  // the rate is that since it goes on
    REQUIRE(lines.all.size() == 2);
    CHECK(lines.all[1] == "filling: 26 % (260 of 1000 revisions), 10 revisions/s, 74 s left");
}

TEST_CASE("what begins anew, or comes long after the end was reached, is measured from there") {
    Lines lines;
    lines.progress.look({900, 1'000}, 1'000);
    lines.progress.look({1'000, 1'000}, 3'000);
    lines.progress.look({100, 1'000}, 900'000);  // another index
    lines.progress.look({200, 1'000}, 905'000);
    lines.progress.look({50, 1'000}, 906'000);  // and another one
    lines.progress.look({300, 1'000}, 911'000);
    CHECK(lines.all ==
          std::vector<std::string>{"filling: 20 % (200 of 1000 revisions), 20 revisions/s, 40 s left",
                                   "filling: 30 % (300 of 1000 revisions), 50 revisions/s, 14 s left"});
}

TEST_CASE("of a table's rows the end is a guess, and may be passed") {
    constexpr auto rows = FeedProgress::Of::rows;
    Lines lines;
    lines.progress.look({0, 100, rows}, 1'000);
    lines.progress.look({50, 100, rows}, 6'000);
    lines.progress.look({110, 100, rows}, 11'000);
    lines.progress.look({7, 9}, 12'000);  // the first fill is over
    lines.progress.look({8, 9}, 20'000);
    CHECK(lines.all == std::vector<std::string>{"filling: 50 % (50 of about 100 rows), 10 rows/s, 5 s left",
                                                "filling: 110 rows, 12 rows/s",
                                                "filling: 89 % (8 of 9 revisions), 0 revisions/s, 8 s left"});
}
