#include "base/error.h"

#include <catch2/catch.hpp>

using namespace pawl;

TEST_CASE("every kind of error has a name and an exit code of the user's contract") {
    const std::vector<std::tuple<ErrorKind, std::string, int>> kinds{
        {ErrorKind::unavailable, "unavailable", 3}, {ErrorKind::overloaded, "overloaded", 3},
        {ErrorKind::too_large, "too_large", 4},     {ErrorKind::rejected, "rejected", 4},
        {ErrorKind::forbidden, "forbidden", 2},     {ErrorKind::target_missing, "target_missing", 4},
        {ErrorKind::invalid, "invalid", 2},         {ErrorKind::storage, "storage", 4},
        {ErrorKind::decision, "decision", 4}};
    for (const auto& [kind, name, code] : kinds) {
        CHECK(name_of(kind) == name);
        CHECK(exit_code_of(kind) == code);
    }
}

TEST_CASE("an error seen from further out begins with the place") {
    const Error error =
        Error{ErrorKind::invalid, "no column x", "add it"}.within("table t").within("pipeline lex");
    CHECK(error.message == "pipeline lex: table t: no column x");
    CHECK(error.advice == "add it");
    CHECK(error.kind == ErrorKind::invalid);
}

TEST_CASE("an error is one line in a log, with its advice") {
    CHECK(to_line({ErrorKind::storage, "disk\nfull\r", "free\nspace"}) == "disk full ; free space");
    CHECK(to_line({ErrorKind::storage, "disk full", ""}) == "disk full");
}

TEST_CASE("fail makes any result an error") {
    const Result<int> result = fail(ErrorKind::rejected, "why", "what to do");
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::rejected);
    CHECK(result.error().message == "why");
    CHECK(result.error().advice == "what to do");
}
