#include "index/answer.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace pawl::engine;
using pawl::index::BulkAnswerReader;

namespace {

struct Exchange {
    std::vector<Row> actions;
    std::string answer;
    std::vector<ItemStatus> expected;
};

Exchange any_exchange() {
    Exchange made;
    made.answer = R"({"errors":true,"items":[)";
    const auto count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i) {
        const auto action = *rc::gen::element(Action::index, Action::remove);
        const auto [status, type, expected] =
            *rc::gen::element(std::tuple(201, "", ItemStatus::done),
                              std::tuple(409, "version_conflict_engine_exception", ItemStatus::superseded),
                              std::tuple(400, "mapper_parsing_exception", ItemStatus::rejected),
                              std::tuple(429, "es_rejected_execution_exception", ItemStatus::retry),
                              std::tuple(404, "index_not_found_exception", ItemStatus::target_missing),
                              std::tuple(403, "security_exception", ItemStatus::forbidden));
        made.actions.push_back({1, action, "e", action == Action::index ? "{}" : ""});
        made.expected.push_back(expected);
        made.answer += std::string(i == 0 ? "" : ",") + "{\"" +
                       (action == Action::index ? "index" : "delete") +
                       "\":{\"status\":" + std::to_string(status);
        if (*type != '\0') made.answer += std::string(R"(,"error":{"type":")") + type + R"(","reason":"r"})";
        made.answer += "}}";
    }
    made.answer += "]}";
    return made;
}

}  // namespace

TEST_CASE("an answer is read as it was meant, and cut short at any byte it is an error") {
    CHECK(rc::check([] {
        const auto exchange = any_exchange();
        BulkAnswerReader reader;
        const auto items = reader.read(exchange.answer, exchange.actions, "");
        RC_ASSERT(items.has_value());
        for (std::size_t i = 0; i < items->size(); ++i)
            RC_ASSERT((*items)[i].status == exchange.expected[i]);
        for (std::size_t bytes = 0; bytes < exchange.answer.size(); ++bytes) {
            // A copy of exactly these bytes, so that reading beyond them is seen by ASan.
            const std::string cut(exchange.answer, 0, bytes);
            RC_ASSERT_FALSE(reader.read(cut, exchange.actions, "").has_value());
        }
    }));
}

TEST_CASE("any bytes are read without harm") {
    CHECK(rc::check([] {
        const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
        const std::vector<Row> actions{{1, Action::index, "e", "{}"}};
        BulkAnswerReader reader;
        RC_ASSERT_FALSE(reader.read(bytes, actions, "").has_value());
        pawl::index::words_in(bytes);
        pawl::index::stored_version_in(bytes);
    }));
}

TEST_CASE("an answer with any byte changed is an error or one result for each action") {
    CHECK(rc::check([] {
        auto exchange = any_exchange();
        const auto position = *rc::gen::inRange<std::size_t>(0, exchange.answer.size());
        exchange.answer[position] = *rc::gen::arbitrary<char>();
        BulkAnswerReader reader;
        const auto items = reader.read(exchange.answer, exchange.actions, "");
        RC_ASSERT((!items ||
                   items->size() == exchange.actions.size()));  // RC_ASSERT looks at both sides of a bare ||
    }));
}
