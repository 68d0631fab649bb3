#include "journal/digest.h"

#include <catch2/catch.hpp>

using namespace pawl::journal;

TEST_CASE("the digest of a batch is the hash of its documented bytes") {
    BatchDigest digest;
    digest.add("ab", 3, 1);
    digest.add("", 0x0102030405060708, 2);
    using namespace std::string_literals;
    const std::string bytes = "\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x01"s + "ab" +
                              "\0\0\0\0\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\x02"s;
    CHECK(digest.value() == digest_of(bytes));
}

TEST_CASE("digests are those of XXH3, on every machine") {
    CHECK(digest_of("") == 0x2d06800538d394c2);  // XXH3's own test value of nothing with seed 0
}

TEST_CASE("order, boundaries and action change the digest") {
    const auto of = [](std::initializer_list<std::pair<std::string_view, std::uint8_t>> actions) {
        BatchDigest digest;
        for (const auto& [entity, action] : actions)
            digest.add(entity, 1, action);
        return digest.value();
    };
    CHECK(of({{"a", 1}, {"b", 1}}) != of({{"b", 1}, {"a", 1}}));
    CHECK(of({{"ab", 1}, {"", 1}}) != of({{"a", 1}, {"b", 1}}));
    CHECK(of({{"a", 1}}) != of({{"a", 2}}));
    CHECK(of({}) == of({}));
}
