#include "index/bulk.h"

#include <catch2/catch.hpp>

using pawl::engine::Action;
using pawl::engine::Row;

TEST_CASE("an index action is its line and the document's line") {
    const std::vector<Row> actions{{7, Action::index, "kärlek", R"({"a":1})"}};
    std::string out = "what was there before";
    pawl::index::encode_bulk(actions, out);
    CHECK(out ==
          "{\"index\":{\"_id\":\"kärlek\",\"version\":7,\"version_type\":\"external_gte\"}}\n{\"a\":1}\n");
}

TEST_CASE("a delete action is one line") {
    const std::vector<Row> actions{{9'223'372'036'854'775'807, Action::remove, "x", ""}};
    std::string out;
    pawl::index::encode_bulk(actions, out);
    CHECK(out ==
          "{\"delete\":{\"_id\":\"x\",\"version\":9223372036854775807,\"version_type\":\"external_gte\"}}\n");
}

TEST_CASE("quotes, backslashes and control characters of an id are escaped") {
    const std::string id("\"\\\n\x01\x1f\0", 6);
    const std::vector<Row> actions{{1, Action::remove, id, ""}};
    std::string out;
    pawl::index::encode_bulk(actions, out);
    CHECK_THAT(out, Catch::Contains(R"("_id":"\"\\\u000a\u0001\u001f\u0000",)"));
}

TEST_CASE("actions keep their order") {
    const std::vector<Row> actions{
        {3, Action::index, "b", "{}"}, {1, Action::remove, "a", ""}, {2, Action::index, "c", "{}"}};
    std::string out;
    pawl::index::encode_bulk(actions, out);
    CHECK(out.find("\"b\"") < out.find("\"a\""));
    CHECK(out.find("\"a\"") < out.find("\"c\""));
}
