#include "journal/bytes.h"

#include <catch2/catch.hpp>

#include "journal/limits.h"

using namespace pawl::journal;
using namespace std::string_literals;

namespace {

std::string failure_of_varint(const std::string& bytes) {
    ByteReader reader(bytes);
    reader.varint();
    return reader.failure();
}

std::string failure_of_intervals(const std::vector<std::uint64_t>& numbers) {
    ByteWriter writer;
    for (const std::uint64_t number : numbers)
        writer.varint(number);
    const std::string bytes = std::move(writer).take();
    ByteReader reader(bytes);
    CHECK(reader.intervals().empty());
    return reader.failure();
}

}  // namespace

TEST_CASE("a number has one form only, and ends") {
    CHECK(failure_of_varint("\x80\x00"s) == "no number at byte 2");                      // 0 in two bytes
    CHECK(failure_of_varint(std::string(9, '\xff') + "\x02").starts_with("no number"));  // more than 64 bits
    CHECK(failure_of_varint(std::string(10, '\xff')).starts_with("no number"));
    CHECK(failure_of_varint(std::string(9, '\x80') + "\x81").starts_with("no number"));  // goes on
    CHECK(failure_of_varint("\x80").starts_with("cut short"));
    CHECK(failure_of_varint(std::string(9, '\xff') + "\x01").empty());
}

TEST_CASE("intervals out of order or range are no intervals") {
    CHECK(failure_of_intervals({1, 0, 5}) == "interval 0 is out of order or range");
    CHECK(failure_of_intervals({2, 1, 0, 1, 0}) == "interval 1 is out of order or range");  // adjacent
    CHECK(failure_of_intervals({1, revision_max + 1, 0}) == "interval 0 is out of order or range");
    CHECK(failure_of_intervals({1, 2, revision_max}) == "interval 0 is out of order or range");
    CHECK_THAT(failure_of_intervals({limits::intervals_max + 1}), Catch::Contains("cannot be in"));
    CHECK_THAT(failure_of_intervals({3, 1, 0}), Catch::Contains("cannot be in"));
    const std::string bytes = "\x02\x01\x00\x05\x80"s;  // the last number does not end
    ByteReader cut(bytes);
    CHECK(cut.intervals().empty());
    CHECK_THAT(cut.failure(), Catch::StartsWith("cut short"));
}

TEST_CASE("the first failure stays, and nothing is read after it") {
    ByteReader reader("abc");
    CHECK(reader.u64() == 0);
    const std::string first = reader.failure();
    reader.fail("another");
    CHECK(reader.failure() == first);
    CHECK(reader.u8() == 0);
    ByteReader key("abc");
    CHECK(key.u64_big_endian() == 0);
    CHECK(key.failed());
}
