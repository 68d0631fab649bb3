#include "index/document_get.h"

#include <catch2/catch.hpp>

#include "index/kept_source.h"
#include "tests/unit/index/scripted_call.h"

using namespace pawl;
using namespace pawl::index;

namespace {

constexpr const char* mget = "POST /lex-1/_mget?realtime=true";

auto get(const std::string& body, const std::vector<std::string>& ids, bool with_source = false) {
    test::ScriptedCall script{.answers = {{mget, {{200, body, ""}}}}};
    return get_documents(script.call(), "lex-1", ids, with_source);
}

}  // namespace

TEST_CASE("documents come in the order asked, and one that is not there is none") {
    const std::string body =
        R"({"docs":[{"_index":"lex-1","_id":"a","_version":7,"_seq_no":3,"_primary_term":2,"found":true,)"
        R"("_source":{"n":1.10}},{"_index":"lex-1","_id":"b","found":false}]})";
    const auto documents = get(body, {"a", "b"}, true);
    REQUIRE(documents);
    REQUIRE((*documents)[0]);
    CHECK((*documents)[0]->version == 7);
    CHECK((*documents)[0]->seq_no == 3);
    CHECK((*documents)[0]->primary_term == 2);
    CHECK((*documents)[0]->source == R"({"n":1.10})");
    CHECK_FALSE((*documents)[1]);
}

TEST_CASE("an answer about other documents, or none, is not believed") {
    const std::string good = R"({"_id":"a","_version":7,"_seq_no":3,"_primary_term":2,"found":true})";
    CHECK(get(R"({"docs":[)" + good + "]}", {"a"}));
    for (const std::string& body :
         {std::string("{}"), std::string("x"), std::string(R"({"docs":[]})"),
          R"({"docs":[)" + good + "," + good + "]}", std::string(R"({"docs":[{"_id":"b","found":false}]})"),
          std::string(R"({"docs":[{"_id":"a"}],"x":1)"),
          std::string(R"({"docs":[{"_id":"a","error":{"type":"x"}}]})"),
          std::string(R"({"docs":[{"_id":"a","found":true,"_version":7}]})"),
          std::string(
              R"({"docs":[{"_id":"a","_version":-7,"_seq_no":3,"_primary_term":2,"found":true}]})")}) {
        INFO(body);
        CHECK_FALSE(get(body, {"a"}));
    }
    CHECK_FALSE(get(R"({"docs":[)" + good + "]}", {"a"}, true));  // without its document
    const std::string numbers = R"("_id":"a","_version":7,"_seq_no":3,"_primary_term":2,"found":true)";
    CHECK_FALSE(get(R"({"docs":[{)" + numbers + R"(,"_source":{"x":{}]}]})", {"a"}, true));
}

TEST_CASE("an answer that is too large is asked for by halves") {
    std::vector<std::string> bodies;
    const Call call = [&](HttpRequest request) -> Result<HttpResponse> {
        bodies.push_back(request.body);
        std::string docs;
        for (const char id : std::string("abcd"))
            if (request.body.find("\"" + std::string(1, id) + "\"") != std::string::npos)
                docs +=
                    (docs.empty() ? "" : ",") + (R"({"found":false,"_id":")" + std::string(1, id) + "\"}");
        if (docs.size() > 60) return fail(ErrorKind::too_large, "too long");
        return HttpResponse{200, R"({"docs":[)" + docs + "]}", ""};
    };
    const auto documents = get_documents(call, "lex-1", std::vector<std::string>{"a", "b", "c", "d"}, false);
    REQUIRE(documents);
    CHECK(documents->size() == 4);
    CHECK(bodies.size() == 3);
}

TEST_CASE("a document is taken out only while it is what was seen") {
    int status = 200;
    std::string path;
    const Call call = [&](HttpRequest request) -> Result<HttpResponse> {
        CHECK(request.method == Method::remove);
        path = request.path;
        return HttpResponse{status, "{}", ""};
    };
    const DocumentNow seen{.version = 9, .seq_no = 17, .primary_term = 2};
    CHECK(remove_document(call, "lex-1", "a/b", seen).value());
    CHECK(path == "/lex-1/_doc/a%2Fb?if_seq_no=17&if_primary_term=2");
    for (const int gone : {404, 409}) {
        status = gone;
        CHECK_FALSE(remove_document(call, "lex-1", "a", seen).value());
    }
    status = 403;
    CHECK(remove_document(call, "lex-1", "a", seen).error().kind == ErrorKind::forbidden);
}

TEST_CASE("what an index keeps of its documents is read from mapping and settings") {
    const auto kept = [](const std::string& source, const std::string& settings) {
        test::ScriptedCall script{
            .answers = {{"GET /lex-1/_mapping?filter_path=*.mappings._source", {{200, source, ""}}},
                        {"GET /lex-1/_settings?flat_settings=true",
                         {{200, R"({"lex-1":{"settings":{)" + settings + "}}}", ""}}}}};
        return find_kept_source(script.call(), "lex-1").value();
    };
    const auto of = [](const std::string& source) {
        return R"({"lex-1":{"mappings":{"_source":)" + source + "}}}";
    };
    const auto all = kept("{}", "");
    CHECK((all.includes.empty() && all.excludes.empty() && all.why_not_whole.empty()));
    const auto some = kept(of(R"({"includes":["a"],"excludes":["b.*","c"]})"), "");
    CHECK(some.includes == std::vector<std::string>{"a"});
    CHECK(some.excludes == std::vector<std::string>{"b.*", "c"});
    CHECK(some.why_not_whole.empty());
    CHECK_FALSE(kept(of(R"({"enabled":false})"), "").why_not_whole.empty());
    CHECK_FALSE(kept(of(R"({"mode":"synthetic"})"), "").why_not_whole.empty());
    CHECK_FALSE(kept("{}", R"("index.mapping.source.mode":"synthetic")").why_not_whole.empty());
    CHECK_FALSE(kept("{}", R"("index.derived_source.enabled":"true")").why_not_whole.empty());
}
