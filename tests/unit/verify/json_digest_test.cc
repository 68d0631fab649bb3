#include "verify/json_digest.h"

#include <catch2/catch.hpp>

#include "verify/limits.h"

using namespace pawl::verify;

namespace {

bool same(const std::string& left, const std::string& right, const SourceFilter& filter = {}) {
    JsonDigester digester(filter);
    return digester.digest_of(left) == digester.digest_of(right);
}

}  // namespace

TEST_CASE("documents are compared as values") {
    CHECK(same(R"({"a":1,"b":[true,null,"x"]})", "{ \"b\" : [ true , null , \"x\" ] ,\n\t\"a\" : 1 }"));
    CHECK(same(R"({"a":{"x":1,"y":2}})", R"({"a":{"y":2,"x":1}})"));
    CHECK(same(R"({"a":"\u00e5\/\n"})", "{\"a\":\"å/\\u000a\"}"));
    CHECK(same(R"({"a":1.0,"b":100,"c":-0.0,"d":0.1})", R"({"a":1,"b":1E2,"c":0,"d":10e-2})"));
    CHECK(same(R"({"a":[1.10 , 2 ]})", R"({"a":[1.1,2.0]})"));
    CHECK(same(R"({"a":1e23})", R"({"a":100000000000000000000000})"));
}

TEST_CASE("what is not the same value is not taken for it") {
    const std::vector<std::string> all{R"({})",
                                       R"({"a":null})",
                                       R"({"a":1})",
                                       R"({"a":"1"})",
                                       R"({"a":[1]})",
                                       R"({"a":true})",
                                       R"({"a":false})",
                                       R"({"a":{}})",
                                       R"({"a":[]})",
                                       R"({"a":[1,2]})",
                                       R"({"a":[2,1]})",
                                       R"({"b":1})",
                                       R"({"a":1,"b":1})",
                                       R"({"a":[[1],2]})",
                                       R"({"a":[[1,2]]})",
                                       R"({"a":"null"})",
                                       R"({"a":1.5})",
                                       R"({"a":-1})",
                                       R"({"a":{"b":1}})",
                                       R"({"a":""})",
                                       R"({"a":9007199254740992})",
                                       R"({"a":9007199254740993})",
                                       R"({"a":12345678901234567890123456789})",
                                       R"({"a":12345678901234567890123456788})"};
    for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = 0; k < i; ++k) {
            CAPTURE(all[i], all[k]);
            CHECK_FALSE(same(all[i], all[k]));
        }
}

TEST_CASE("members that change places between objects are seen") {
    CHECK_FALSE(same(R"({"a":{"x":1},"b":{"y":2}})", R"({"a":{"y":2},"b":{"x":1}})"));
    CHECK_FALSE(same(R"({"a":1,"b":2})", R"({"a":2,"b":1})"));
}

TEST_CASE("one number has one form") {
    for (const char* const one : {"1", "1.0", "1e0", "10e-1", "0.1E1", "100E-2"})
        CHECK(canonical_number(one) == "1");
    CHECK(canonical_number("-12.50e1") == "-125");
    CHECK(canonical_number("0.1") == "1e-1");
    CHECK(canonical_number("-0.0") == "0");
    CHECK(canonical_number("-0") == "0");
    CHECK(canonical_number("1e3") == "1000");
    CHECK(canonical_number("123.456") == "123456e-3");
    CHECK(canonical_number("1e400") == "1e400");  // no double holds it
}

TEST_CASE("what the mapping leaves out of the source is left out of the comparison, and only that") {
    const SourceFilter excluding({}, {"secret", "meta.*", "*.raw"});
    CHECK(same(R"({"a":1,"secret":2,"meta":{"x":1},"w":[{"raw":1,"b":2}]})", R"({"a":1,"w":[{"b":2}]})",
               excluding));
    CHECK(same(R"({"a":1,"w":[{"raw":1},{"b":2}]})", R"({"a":1,"w":[{"b":2}]})", excluding));
    CHECK_FALSE(same(R"({"a":1,"secret":2})", R"({"a":2,"secret":2})", excluding));
    CHECK_FALSE(same(R"({"a":1,"w":{"b":2}})", R"({"a":1,"w":{"b":3}})", excluding));
    const SourceFilter including({"word", "meta.kept"}, {"word.raw"});
    CHECK(same(R"({"word":{"raw":1,"x":1},"meta":{"kept":1,"other":2},"n":3})",
               R"({"word":{"x":1},"meta":{"kept":1}})", including));
    CHECK_FALSE(same(R"({"word":1})", R"({"word":2})", including));
    CHECK_FALSE(same(R"({"meta":{"kept":1}})", R"({"meta":{"kept":2}})", including));
}

TEST_CASE("what is no JSON, or too deep, is compared byte for byte") {
    CHECK(same("{\"a\":", "{\"a\":"));
    CHECK_FALSE(same("{\"a\":", "{\"a\": "));
    CHECK_FALSE(same("", "{}"));
    const std::string deep(limits::json_depth_max + 10, '[');
    CHECK_FALSE(same(deep + " 1", deep + "1"));
    JsonDigester digester;
    for (const char* const text :
         {"", "{", "[1,", "\"", "{\"a\" 1}", "{\"a\":tru}", "\xff", "{\"\\ud800\":1}"})
        CHECK(digester.digest_of(text) != 0);
}
