#include "verify/source_filter.h"

#include <catch2/catch.hpp>

using namespace pawl::verify;

TEST_CASE("a star stands for any characters, dots too") {
    CHECK(matches("a.b", "a.b"));
    CHECK_FALSE(matches("a.b", "a.bc"));
    CHECK_FALSE(matches("a.b", "a"));
    CHECK(matches("a.*", "a.b.c"));
    CHECK_FALSE(matches("a.*", "a"));
    CHECK(matches("*.secret", "a.b.secret"));
    CHECK(matches("*", ""));
    CHECK(matches("a*b*c", "aXbXbXc"));
    CHECK_FALSE(matches("a*b*c", "aXbXbX"));
    CHECK(matches("a**", "a"));
    CHECK_FALSE(matches("", "a"));
    CHECK(matches("", ""));
}

TEST_CASE("without includes all is included, without excludes nothing is excluded") {
    CHECK(SourceFilter().keeps_all());
    const SourceFilter excluding({}, {"meta.*"});
    CHECK_FALSE(excluding.keeps_all());
    CHECK(excluding.includes("anything"));
    CHECK(excluding.excludes("meta.x"));
    CHECK_FALSE(excluding.excludes("meta"));
    const SourceFilter including({"word"}, {});
    CHECK(including.includes("word"));
    CHECK_FALSE(including.includes("n"));
    CHECK_FALSE(including.excludes("n"));
}
