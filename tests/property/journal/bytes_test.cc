#include "journal/bytes.h"

#include <catch2/catch.hpp>

#include "tests/property/journal/generators.h"

using namespace pawl::journal;
using namespace pawl::journal::test;

TEST_CASE("numbers come back as they were written") {
    REQUIRE(rc::check("varint", [] {
        const auto number =
            *rc::gen::oneOf(rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange<std::uint64_t>(0, 300),
                            rc::gen::just(~std::uint64_t{0}));
        ByteWriter writer;
        writer.varint(number);
        const std::string bytes = std::move(writer).take();
        RC_ASSERT(bytes.size() <= 10u);
        ByteReader reader(bytes);
        RC_ASSERT(reader.varint() == number);
        reader.expect_end();
        RC_ASSERT_FALSE(reader.failed());
    }));
}

// Below the checksum of a record: no checksum stands between these bytes and the reader.
TEST_CASE("any bytes are read without harm, and have one meaning") {
    REQUIRE(rc::check("intervals", [] {
        const auto numbers = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
        const std::string bytes(numbers.begin(), numbers.end());
        ByteReader reader(bytes);
        const IntervalSet set = reader.intervals();
        reader.expect_end();
        if (reader.failed()) return;
        ByteWriter writer;
        writer.intervals(set);
        RC_ASSERT(std::move(writer).take() == bytes);
    }));
    REQUIRE(rc::check("a mix of everything", [] {
        const auto bytes = *rc::gen::arbitrary<std::string>();
        ByteReader reader(bytes);
        while (!reader.failed()) {
            switch (*rc::gen::inRange(0, 6)) {
                case 0:
                    reader.u8();
                    break;
                case 1:
                    reader.u32();
                    break;
                case 2:
                    reader.revision("x");
                    break;
                case 3:
                    RC_ASSERT(reader.text(20, "x").size() <= 20u);
                    break;
                case 4:
                    RC_ASSERT(reader.intervals().intervals().size() <= bytes.size());
                    break;
                default:
                    reader.u64_big_endian();
            }
        }
        RC_ASSERT_FALSE(reader.failure().empty());
        RC_ASSERT(reader.u64() == 0u);
    }));
}
