#include "index/answer.h"

#include <fmt/core.h>
#include <catch2/catch.hpp>

#include "index/limits.h"

using pawl::ErrorKind;
using pawl::engine::Action;
using pawl::engine::ItemStatus;
using pawl::engine::Row;
using pawl::index::BulkAnswerReader;
using pawl::index::judge_item;

namespace {

const std::vector<Row> one_index{{4, Action::index, "1", "{}"}};
const std::vector<Row> one_remove{{4, Action::remove, "1", ""}};

ItemStatus judged(int status, std::string_view type = {}, std::string_view reason = {}) {
    return judge_item(status, type, reason, Action::index);
}

}  // namespace

TEST_CASE("items are judged by status and error type") {
    CHECK(judged(200) == ItemStatus::done);
    CHECK(judged(201) == ItemStatus::done);
    CHECK(judged(409, "version_conflict_engine_exception") == ItemStatus::superseded);
    CHECK(judged(404, "index_not_found_exception") == ItemStatus::target_missing);
    CHECK(judged(401, "security_exception") == ItemStatus::forbidden);
    CHECK(judged(403, "security_exception") == ItemStatus::forbidden);
    CHECK(judged(429, "es_rejected_execution_exception") == ItemStatus::retry);
    CHECK(judged(429, "circuit_breaking_exception") == ItemStatus::retry);
    CHECK(judged(503, "unavailable_shards_exception") == ItemStatus::retry);
    CHECK(judged(500, "null_pointer_exception") == ItemStatus::retry);
}

TEST_CASE("what the document causes is rejected") {
    for (const auto* type :
         {"mapper_parsing_exception", "document_parsing_exception", "illegal_argument_exception",
          "strict_dynamic_mapping_exception", "a_type_of_some_later_version"})
        CHECK(judged(400, type) == ItemStatus::rejected);
}

TEST_CASE("what an operator's change causes never looks like a fault of the document") {
    CHECK(judged(403, "cluster_block_exception") == ItemStatus::retry);
    CHECK(judged(429, "cluster_block_exception") == ItemStatus::retry);
    CHECK(judged(400, "index_closed_exception") == ItemStatus::retry);
    CHECK(judged(400, "illegal_argument_exception", "pipeline with id [x] does not exist") ==
          ItemStatus::retry);
    CHECK(judged(400, "illegal_argument_exception",
                 "no write index is defined for alias [lex]. The write …") == ItemStatus::target_missing);
    CHECK(judged(400, "routing_missing_exception") == ItemStatus::target_missing);
}

TEST_CASE("a delete of what is not there is done; an index action that finds nothing is not") {
    BulkAnswerReader reader;
    const auto removed =
        reader.read(R"({"errors":false,"items":[{"delete":{"status":404}}]})", one_remove, "");
    REQUIRE(removed);
    CHECK((*removed)[0].status == ItemStatus::done);
    CHECK((*removed)[0].error.empty());

    const auto indexed = reader.read(R"({"errors":true,"items":[{"index":{"status":404}}]})", one_index, "");
    REQUIRE(indexed);
    CHECK((*indexed)[0].status == ItemStatus::retry);
    CHECK((*indexed)[0].error == "status_404");
}

TEST_CASE("a conflict tells the stored version") {
    BulkAnswerReader reader;
    const auto items = reader.read(
        R"({"errors":true,"items":[{"index":{"status":409,"error":{"type":"version_conflict_engine_exception",)"
        R"("reason":"[1]: version conflict, current version [5] is higher than the one provided [4]"}}}]})",
        one_index, "");
    REQUIRE(items);
    CHECK((*items)[0].status == ItemStatus::superseded);
    CHECK((*items)[0].stored_version == 5U);
    CHECK((*items)[0].error == "version_conflict_engine_exception");
}

TEST_CASE("a stored version that is no number is none") {
    using pawl::index::stored_version_in;
    CHECK(stored_version_in("current version [9223372036854775807] is") == 9'223'372'036'854'775'807U);
    CHECK_FALSE(stored_version_in("current version [-1] is"));
    CHECK_FALSE(stored_version_in("current version [99999999999999999999] is"));
    CHECK_FALSE(stored_version_in("current version [5"));
    CHECK_FALSE(stored_version_in("current version ["));
    CHECK_FALSE(stored_version_in(""));
}

TEST_CASE("the reason tells the cause too, once") {
    BulkAnswerReader reader;
    const auto items =
        reader.read(R"({"errors":true,"items":[{"index":{"status":400,"error":{"type":"t",)"
                    R"("reason":"failed to parse","caused_by":{"reason":"out of range\nof long"}}}}]})",
                    one_index, "");
    REQUIRE(items);
    CHECK((*items)[0].reason == "failed to parse: out of range of long");
}

TEST_CASE("a reason does not quote the document") {
    BulkAnswerReader reader;
    const auto items =
        reader.read(R"({"errors":true,"items":[{"index":{"status":400,"error":{"type":"t",)"
                    R"("reason":"failed to parse field [n] of type [long] in document with id 'a'. )"
                    R"(Preview of field's value: 'secret'","caused_by":{"reason":)"
                    R"("out of range of long\n at [Source: (byte[])\"{secret}\"; line: 1]"}}}}]})",
                    one_index, "");
    REQUIRE(items);
    CHECK((*items)[0].reason ==
          "failed to parse field [n] of type [long] in document with id 'a': out of range of long");
}

TEST_CASE("a reason is bounded and cut between characters") {
    namespace limits = pawl::index::limits;
    const auto cut = pawl::index::bounded(std::string(limits::error_reason_bytes_max - 1, 'x') + "äöü",
                                          limits::error_reason_bytes_max);
    CHECK(cut == std::string(limits::error_reason_bytes_max - 1, 'x'));
}

TEST_CASE("an answer to other actions is an error") {
    BulkAnswerReader reader;
    const auto kind_of = [&reader](std::string_view body) {
        const auto items = reader.read(body, one_index, "");
        REQUIRE_FALSE(items);
        return items.error().kind;
    };
    for (const auto* body :
         {"", "{}", "[]", "null", "<html>", R"({"errors":false})", R"({"errors":false,"items":[]})",
          R"({"items":[{"index":{"status":200}}]})",
          R"({"errors":false,"items":[{"delete":{"status":200}}]})",
          R"({"errors":false,"items":[{"index":{}}]})",
          R"({"errors":false,"items":[{"index":{"status":"200"}}]})",
          R"({"errors":false,"items":[{"index":{"status":7}}]})", R"({"errors":false,"items":[7]})",
          R"({"errors":false,"items":[{"index":{"status":200}},{"index":{"status":200}}]})"})
        CHECK(kind_of(body) == ErrorKind::unavailable);
}

TEST_CASE("the status of a whole request becomes the kind of error that pawl reacts to") {
    const auto kind_of = [](int status, std::string_view body = "{}") {
        return pawl::index::error_of_status("POST http://h:9200/lex/_bulk", status, body).kind;
    };
    CHECK(kind_of(400) == ErrorKind::rejected);
    CHECK(kind_of(401) == ErrorKind::forbidden);
    CHECK(kind_of(403) == ErrorKind::forbidden);
    CHECK(kind_of(404) == ErrorKind::target_missing);
    CHECK(kind_of(413) == ErrorKind::too_large);
    CHECK(kind_of(429) == ErrorKind::overloaded);
    for (const int status : {302, 405, 408, 500, 502, 503, 504})
        CHECK(kind_of(status) == ErrorKind::unavailable);
    CHECK(kind_of(403, R"({"error":{"type":"cluster_block_exception","reason":"r"}})") ==
          ErrorKind::unavailable);
}

TEST_CASE("an error names place, status and the server's words") {
    const auto error = pawl::index::error_of_status(
        "GET http://h:9200/", 403, R"({"error":{"type":"security_exception","reason":"no\nway"}})");
    CHECK(error.message == "GET http://h:9200/: status 403 security_exception: no way");
    CHECK_THAT(error.advice, Catch::Contains("privilege"));
    CHECK(pawl::index::error_of_status("X", 404, R"({"error":"alias [x] missing"})").message ==
          "X: status 404: alias [x] missing");
    CHECK(pawl::index::error_of_status("X", 502, "<html>").message == "X: status 502");
}

TEST_CASE("an operation above the server's limit is too large, not only too early") {
    const std::string never =
        "rejected execution of primary operation [coordinating_and_primary_bytes=15000409, replica_bytes=0, "
        "all_bytes=15000409, primary_operation_bytes=60000032, max_primary_bytes=53687091]";
    const std::string later =
        "rejected execution of coordinating operation [coordinating_and_primary_bytes=53000000, "
        "replica_bytes=0, "
        "all_bytes=53000000, coordinating_operation_bytes=1200000, "
        "max_coordinating_and_primary_bytes=53687091]";
    CHECK(pawl::index::is_larger_than_limit(never));
    CHECK_FALSE(pawl::index::is_larger_than_limit(later));
    for (const auto* other : {"", "max_", "_operation_bytes=7", "_operation_bytes=7, max_primary_bytes=",
                              "_operation_bytes=99999999999999999999, max_primary_bytes=1"})
        CHECK_FALSE(pawl::index::is_larger_than_limit(other));

    const auto answer = [](const std::string& reason) {
        return R"({"errors":true,"items":[{"index":{"status":429,"error":{"type":"es_rejected_execution_exception",)"
               R"("reason":")" +
               reason + "\"}}}]}";
    };
    BulkAnswerReader reader;
    const auto too_large = reader.read(answer(never), one_index, "");
    REQUIRE_FALSE(too_large);
    CHECK(too_large.error().kind == ErrorKind::too_large);
    const auto too_early = reader.read(answer(later), one_index, "");
    REQUIRE(too_early);
    CHECK((*too_early)[0].status == ItemStatus::retry);
}

TEST_CASE("what another index has settled means that the alias has moved; what none has settled does not") {
    BulkAnswerReader reader;
    const auto status_of = [&](std::string_view item, std::string_view index) {
        const auto items =
            reader.read(fmt::format(R"({{"errors":true,"items":[{{"index":{}}}]}})", item), one_index, index);
        REQUIRE(items);
        return items->front().status;
    };
    CHECK(status_of(R"({"_index":"lex-2","status":200})", "lex-1") == ItemStatus::target_missing);
    CHECK(status_of(R"({"_index":"lex-1","status":200})", "lex-1") == ItemStatus::done);
    CHECK(status_of(R"({"status":200})", "lex-1") == ItemStatus::target_missing);
    CHECK(status_of(R"({"_index":"lex-2","status":400,"error":{"type":"mapper_parsing_exception"}})",
                    "lex-1") == ItemStatus::target_missing);
    CHECK(status_of(R"({"_index":"lex","status":429,"error":{"type":"es_rejected_execution_exception"}})",
                    "lex-1") == ItemStatus::retry);
}
