#include "source/body.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

using namespace pawl::source;

namespace {

struct Outcome {
    std::string text;
    bool empty_object = false;
    std::string error;
    std::string reason;
};

Outcome object_of(std::string text, std::vector<std::string> added = {}) {
    static JsonChecker checker;
    const std::size_t bytes = text.size();
    text.resize(bytes + JsonChecker::padding_bytes, 'x');
    const auto checked = checker.object(text.data(), bytes, AddedKeys(std::move(added)));
    if (!checked)
        return {.text = {}, .error = std::string(checked.error().error), .reason = checked.error().reason};
    return {
        .text = std::string(checked->text), .empty_object = checked->empty_object, .error = {}, .reason = {}};
}

}  // namespace

TEST_CASE("an object is taken as it is, without the space around it") {
    CHECK(object_of(R"( {"a" : 1} )").text == R"({"a" : 1})");
    CHECK_FALSE(object_of(R"({"a":1})").empty_object);
    CHECK(object_of(" { } ").empty_object);
    CHECK(object_of(" { } ").text == "{ }");
}

TEST_CASE("line breaks outside strings become spaces") {
    CHECK(object_of("{\r\n\"a\":\n[1,\r2]\n}\n").text == "{  \"a\": [1, 2] }");
}

TEST_CASE("what is no JSON object is refused with its reason") {
    const auto reason_of = [](std::string text) {
        const Outcome outcome = object_of(std::move(text));
        CHECK(outcome.error == "invalid_body");
        return outcome.reason;
    };
    CHECK(reason_of("") == "it is empty");
    CHECK(reason_of("  \n") == "it is empty");
    CHECK(reason_of("[1]") == "it is an array, not a JSON object");
    CHECK(reason_of("\"a\"") == "it is a string, not a JSON object");
    CHECK(reason_of("12") == "it is a number, not a JSON object");
    CHECK(reason_of("null") == "it is null, not a JSON object");
    CHECK_THAT(reason_of("{\"a\":1"), Catch::Contains("not valid JSON"));
    CHECK_THAT(reason_of("{\"a\":1}{\"b\":2}"), Catch::Contains("not valid JSON"));
    CHECK_THAT(reason_of("{\"a\":01}"), Catch::Contains("number"));
    CHECK_THAT(reason_of("{\"a\":\"\n\"}"), Catch::Contains("not valid JSON"));
    CHECK_THAT(reason_of(std::string("{\"a\":\"\0\"}", 9)), Catch::Contains("not valid JSON"));
    CHECK_THAT(reason_of(std::string("{\"a\":1\0}", 8)), Catch::Contains("not valid JSON"));
    CHECK_THAT(reason_of("{\"a\":\"\xff\"}"), Catch::Contains("UTF-8"));
    CHECK_THAT(reason_of("\xef\xbb\xbf{}"), Catch::Contains("not valid JSON"));
    CHECK_THAT(reason_of("{\"a\":" + std::string(3000, '[') + std::string(3000, ']') + "}"),
               Catch::Contains("not valid JSON"));
}

TEST_CASE("numbers may be as long as they like, and stay as they are") {
    const std::string long_numbers =
        R"({"a":123456789012345678901234567890,"b":-1e999,"c":"\"12345678901234567890123","d":[1.5e-400]})";
    CHECK(object_of(long_numbers).text == long_numbers);
    CHECK(object_of(R"({"a":123456789012345678901234567890,"b":01})").error == "invalid_body");
    CHECK(object_of(R"({"a":123456789012345678901234567890,"b":1})", {"b"}).error == "key_twice");
}

TEST_CASE("a key that pawl adds must not be there already, however it is spelled") {
    const Outcome outcome = object_of(R"({"a":1,"_resource_id":2})", {"_resource_id"});
    CHECK(outcome.error == "key_twice");
    CHECK_THAT(outcome.reason, Catch::Contains(R"("_resource_id")"));
    CHECK(object_of(R"({"\u005fid":2})", {"_id"}).error == "key_twice");
    CHECK(object_of(R"({"a":{"_id":2},"_i":1})", {"_id"}).error.empty());
}

TEST_CASE("any JSON object keeps its meaning, on one line") {
    REQUIRE(rc::check([](const std::map<std::string, std::vector<int>>& content, bool pretty) {
        nlohmann::json object = nlohmann::json::object();
        for (const auto& [key, value] : content)
            object[nlohmann::json(key).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)] =
                value;
        const Outcome outcome = object_of(object.dump(pretty ? 2 : -1));
        RC_ASSERT(outcome.error.empty());
        RC_ASSERT(outcome.text.find('\n') == std::string::npos);
        RC_ASSERT(nlohmann::json::parse(outcome.text) == object);
    }));
}
