#include "index/document_scan.h"

#include <map>

#include <catch2/catch.hpp>

#include "tests/unit/index/scripted_call.h"

using namespace pawl;
using namespace pawl::index;

namespace {

using Found = std::map<std::string, std::pair<engine::Revision, std::string>>;

Result<ScanAnswer> read(std::string body, Found& found, bool with_source = false) {
    return read_scan_answer(body, with_source, [&](const ScannedDocument& document) {
        found[std::string(document.id)] = {document.version, std::string(document.source)};
    });
}

constexpr const char* page =
    R"({"_scroll_id":"s1","timed_out":false,"_shards":{"failed":0},"hits":{"hits":[)"
    R"({"_id":"a\u00e5\"","_version":17,"_source":{"n":1e400,"x":{"y":[1, 2]}}},)"
    R"({"_source":{},"_id":"b","_score":null,"_version":9223372036854775807,"sort":[0]}]}})";

}  // namespace

TEST_CASE("a page gives ids, versions and, where asked, the documents as they are") {
    Found found;
    const auto answer = read(page, found);
    REQUIRE(answer);
    CHECK(answer->scroll_id == "s1");
    CHECK(answer->documents == 2);
    CHECK(found == Found{{"aå\"", {17, ""}}, {"b", {9'223'372'036'854'775'807, ""}}});
    REQUIRE(read(page, found, true));
    CHECK(found["aå\""].second == R"({"n":1e400,"x":{"y":[1, 2]}})");
    CHECK(found["b"].second == "{}");
}

TEST_CASE("an end has no hits, or no word of them") {
    Found found;
    CHECK(read(R"({"_scroll_id":"s","timed_out":false,"_shards":{"failed":0},"hits":{"hits":[]}})", found)
              .value()
              .documents == 0);
    CHECK(read(R"({"_scroll_id":"s","timed_out":false,"_shards":{"failed":0}})", found).value().documents ==
          0);
    CHECK(read(R"({"_scroll_id":"s","_shards":{"failed":0},"hits":{}})", found).value().documents == 0);
}

TEST_CASE("a page that is not whole is never taken for one") {
    Found found;
    for (const char* const body :
         {R"({"_scroll_id":"s","timed_out":true,"_shards":{"failed":0},"hits":{"hits":[]}})",
          R"({"_scroll_id":"s","timed_out":false,"_shards":{"failed":1},"hits":{"hits":[]}})",
          R"({"_scroll_id":"s","timed_out":false,"hits":{"hits":[]}})"}) {
        const auto answer = read(body, found);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().kind == ErrorKind::unavailable);
        CHECK_THAT(answer.error().message, Catch::Contains("shard failed"));
    }
}

TEST_CASE("whatever else comes is refused, not believed") {
    const std::string begin =
        R"({"_scroll_id":"s","timed_out":false,"_shards":{"failed":0},"hits":{"hits":[)";
    for (const std::string& body :
         {std::string(), std::string("[]"), std::string("{"), std::string("null"), std::string("\xff\xff"),
          std::string(page).substr(0, 100), begin, begin + R"({"_id":"a"}]}})",
          begin + R"({"_version":1}]}})", begin + R"({"_id":"","_version":1}]}})",
          begin + R"({"_id":7,"_version":1}]}})", begin + R"({"_id":"a","_version":-1}]}})",
          begin + R"({"_id":"a","_version":9223372036854775808}]}})",
          begin + R"({"_id":"a","_version":1.5}]}})", begin + R"("a"]}})",
          begin + R"({"_id":")" + std::string(513, 'x') + R"(","_version":1}]}})",
          std::string(R"({"_shards":{"failed":0},"hits":{"hits":[]}})"),
          std::string(R"({"_scroll_id":"s","_shards":{"failed":0},"hits":{"hits":7}})")}) {
        INFO(body.substr(0, 120));
        Found found;
        CHECK_FALSE(read(body, found));
    }
    Found found;
    CHECK_FALSE(read(begin + R"({"_id":"a","_version":1}]}})", found, true));  // without its document
    const std::string broken = begin + R"({"_id":"a","_version":1,"_source":{"x":{}]}]}})";
    CHECK_FALSE(read(broken, found, true));
    CHECK(found.empty());  // not even visited: what ends with another bracket is no object
}

TEST_CASE("a scan asks page by page and lets the server forget it in the end") {
    test::ScriptedCall script{
        .answers = {
            {"POST /lex-1/_search?scroll=5m", {{200, page, ""}}},
            {"POST /_search/scroll",
             {{200, R"({"_scroll_id":"s2","timed_out":false,"_shards":{"failed":0},"hits":{"hits":[]}})",
               ""}}}}};
    std::vector<std::string> bodies;
    std::vector<Method> methods;
    {
        DocumentScan scan(
            [&](HttpRequest request) {
                bodies.push_back(request.body);
                methods.push_back(request.method);
                if (request.method == Method::remove)
                    return Result<HttpResponse>(HttpResponse{200, "{}", ""});
                return script(std::move(request));
            },
            "lex-1", {.with_source = true, .page_documents = 2, .answer_bytes_max = 1000});
        std::size_t count = 0;
        CHECK(scan.next([&](const ScannedDocument&) { ++count; }).value());
        CHECK_FALSE(scan.next([&](const ScannedDocument&) { ++count; }).value());
        CHECK(count == 2);
    }
    REQUIRE(bodies.size() == 3);
    CHECK(bodies[0] == R"({"_source":true,"size":2,"sort":["_doc"],"version":true})");
    CHECK(bodies[1] == R"({"scroll":"5m","scroll_id":"s1"})");
    CHECK(methods[2] == Method::remove);
    CHECK(bodies[2] == R"({"scroll_id":"s2"})");
}

TEST_CASE("a scan that the server has forgotten says what to do") {
    test::ScriptedCall script{.answers = {{"POST /lex-1/_search?scroll=5m", {{200, page, ""}}}}};
    DocumentScan scan(script.call(), "lex-1",
                      {.with_source = true, .page_documents = 2, .answer_bytes_max = 1000});
    REQUIRE(scan.next([](const ScannedDocument&) {}));
    const auto more = scan.next([](const ScannedDocument&) {});
    REQUIRE_FALSE(more);
    CHECK(more.error().kind == ErrorKind::unavailable);
    CHECK_THAT(more.error().advice, Catch::Contains("run it again"));
}

TEST_CASE("a refresh that did not reach all shards is no refresh") {
    const std::string path = "POST /lex-1/_refresh?filter_path=_shards.failed";
    test::ScriptedCall script{.answers = {{path, {{200, R"({"_shards":{"failed":0}})", ""}}}}};
    CHECK(refresh_index(script.call(), "lex-1"));
    for (const char* const body : {R"({"_shards":{"failed":1}})", "{}", "x"}) {
        script.answers[path] = {{200, body, ""}};
        CHECK_FALSE(refresh_index(script.call(), "lex-1"));
    }
}
