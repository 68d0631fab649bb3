#include "base/time.h"

#include <limits>

#include <catch2/catch.hpp>

using pawl::to_iso8601;

TEST_CASE("a time is UTC with milliseconds") {
    CHECK(to_iso8601(0) == "1970-01-01T00:00:00.000Z");
    CHECK(to_iso8601(1'795'486'504'123) == "2026-11-24T02:15:04.123Z");
    CHECK(to_iso8601(951'782'400'000) == "2000-02-29T00:00:00.000Z");
    CHECK(to_iso8601(-1) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("any number prints, also one without a year of four digits") {
    CHECK(to_iso8601(253'402'300'799'999) == "9999-12-31T23:59:59.999Z");
    CHECK(to_iso8601(253'402'300'800'000) == "253402300800000 ms");
    CHECK(to_iso8601(-62'167'219'200'000) == "0000-01-01T00:00:00.000Z");
    CHECK(to_iso8601(std::numeric_limits<pawl::TimeMs>::min()) == "-9223372036854775808 ms");
}

TEST_CASE("a time that was written is read again, and nothing else is") {
    for (const pawl::TimeMs time : {pawl::TimeMs{0}, pawl::TimeMs{1'795'572'904'123}, pawl::TimeMs{-1}})
        CHECK(pawl::from_iso8601(pawl::to_iso8601(time)) == time);
    for (const char* const text :
         {"", "2026-11-24", "2026-11-24T02:15:04Z", "2026-13-24T02:15:04.123Z", "2026-02-30T02:15:04.123Z",
          "2026-11-24T24:15:04.123Z", "2026-11-24T02:60:04.123Z", "2026-11-24T02:15:60.123Z",
          "2026-11-24T02:15:04.123+", "-026-11-24T02:15:04.123Z", "2026-11-24 02:15:04.123Z"})
        CHECK_FALSE(pawl::from_iso8601(text));
}
