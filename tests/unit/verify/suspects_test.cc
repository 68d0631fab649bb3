#include "verify/suspects.h"

#include <algorithm>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "verify/limits.h"

using namespace pawl::verify;
using pawl::engine::Revision;

namespace {

constexpr std::uint64_t seed = 5;

void add_row(Suspects& round, const std::string& entity, Revision revision) {
    const EntityHash hash = hash_of(entity, seed);
    round.add_row(entity, hash, revision, fingerprint(hash, revision, 0));
}

void add_document(Suspects& round, const std::string& entity, Revision revision) {
    const EntityHash hash = hash_of(entity, seed);
    round.add_document(entity, hash, fingerprint(hash, revision, 0));
}

// Buckets in which each of these entities differs.
Buckets differing(const std::vector<std::string>& entities) {
    Buckets buckets;
    for (const std::string& entity : entities)
        buckets.add(hash_of(entity, seed).bucket(), 1);
    return buckets;
}

std::vector<std::string> names(int count) {
    std::vector<std::string> all;
    for (int number = 0; number < count; ++number)
        all.push_back("e" + std::to_string(number));
    return all;
}

}  // namespace

TEST_CASE("only entities of differing buckets whose sides differ are suspects") {
    const Buckets buckets = differing({"same", "old", "lone", "extra"});
    Suspects round(buckets, 0, 100);
    add_row(round, "same", 1);
    add_row(round, "old", 2);
    add_row(round, "lone", 3);
    add_row(round, "elsewhere", 4);
    add_document(round, "same", 1);
    add_document(round, "old", 1);
    add_document(round, "extra", 9);
    add_document(round, "nowhere", 9);
    CHECK(round.next_round() == limits::buckets);
    std::set<std::string> found;
    for (const Suspect& suspect : round.take()) {
        found.insert(suspect.entity);
        CHECK(suspect.at_fixed.has_value() == (suspect.entity != "extra"));
    }
    CHECK(found == std::set<std::string>{"old", "lone", "extra"});
}

TEST_CASE("of several rows of an entity the latest counts, whichever comes first") {
    const Buckets buckets = differing({"a", "b"});
    Suspects round(buckets, 0, 100);
    add_row(round, "a", 1);
    add_row(round, "a", 5);
    add_row(round, "b", 6);
    add_row(round, "b", 2);
    add_document(round, "a", 5);
    add_document(round, "b", 6);
    CHECK(round.take().empty());
}

TEST_CASE("rounds that hold but a few see every entity exactly once") {
    const auto entities = names(500);
    const Buckets buckets = differing(entities);
    std::vector<std::string> seen;
    int rounds = 0;
    for (std::size_t from = buckets.next_differing(0); from < limits::buckets; ++rounds) {
        Suspects round(buckets, from, 60);
        for (const std::string& entity : entities)
            add_row(round, entity, 1);
        for (const std::string& entity : names(250))
            add_document(round, entity, 2);
        from = round.next_round();
        const auto suspects = round.take();
        CHECK(suspects.size() <= 60);
        for (const Suspect& suspect : suspects)
            seen.push_back(suspect.entity);
    }
    CHECK(rounds >= 9);
    std::ranges::sort(seen);
    auto all = entities;
    std::ranges::sort(all);
    CHECK(seen == all);
}

TEST_CASE("a bucket that alone is too much is looked at all the same") {
    Buckets buckets;
    buckets.add(hash_of("a", seed).bucket(), 1);
    Suspects round(buckets, 0, 0);
    add_row(round, "a", 1);
    CHECK(round.next_round() == limits::buckets);
    CHECK(round.take().size() == 1);
}
