#include "verify/buckets.h"

#include <catch2/catch.hpp>

#include "verify/fingerprint.h"
#include "verify/limits.h"

using namespace pawl::verify;

namespace {

constexpr std::uint64_t seed = 17;

std::uint64_t state(const char* entity, pawl::engine::Revision revision, std::uint64_t content = 0) {
    return fingerprint(hash_of(entity, seed), revision, content);
}

}  // namespace

TEST_CASE("what both sides hold leaves no trace, in whatever order it comes") {
    Buckets buckets;
    const std::size_t bucket = hash_of("a", seed).bucket();
    buckets.add(bucket, state("a", 1));
    buckets.add(bucket, state("b", 2));
    buckets.take_away(bucket, state("b", 2));
    CHECK(buckets.differs(bucket));
    CHECK(buckets.next_differing(0) == bucket);
    buckets.take_away(bucket, state("a", 1));
    CHECK(buckets.differing() == 0);
    CHECK(buckets.next_differing(0) == limits::buckets);
}

TEST_CASE("another revision, another content, another entity and nothing are told apart") {
    for (const std::uint64_t other :
         {state("a", 2, 7), state("a", 1, 8), state("b", 1, 7), state("a", 1), std::uint64_t{0}}) {
        Buckets buckets;
        buckets.add(3, state("a", 1, 7));
        if (other != 0) buckets.take_away(3, other);
        CHECK(buckets.differing() == 1);
    }
}

TEST_CASE("an entity has one bucket, whatever its state, and all buckets are used") {
    std::size_t lowest = limits::buckets;
    std::size_t highest = 0;
    for (int number = 0; number < 10'000; ++number) {
        const std::size_t bucket = hash_of("entity-" + std::to_string(number), seed).bucket();
        REQUIRE(bucket < limits::buckets);
        lowest = std::min(lowest, bucket);
        highest = std::max(highest, bucket);
    }
    CHECK(lowest < limits::buckets / 100);
    CHECK(highest > limits::buckets / 100 * 99);
    CHECK(hash_of("a", 1).bucket() != hash_of("a", 2).bucket());
}
