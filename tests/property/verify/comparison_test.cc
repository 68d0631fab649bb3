// Buckets and suspects together: whatever differs between two sets becomes a suspect, in rounds of any size.
#include <rapidcheck.h>

#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "verify/buckets.h"
#include "verify/limits.h"
#include "verify/suspects.h"

using namespace pawl::verify;
using pawl::engine::Revision;

namespace {

using States = std::map<std::string, Revision>;

States some_states() {
    return *rc::gen::container<States>(
        rc::gen::map(rc::gen::inRange(0, 300), [](int n) { return std::to_string(n); }),
        rc::gen::inRange<Revision>(1, 4));
}

std::set<std::string> differing(const States& rows, const States& documents) {
    std::set<std::string> names;
    for (const auto& [entity, revision] : rows)
        if (const auto found = documents.find(entity); found == documents.end() || found->second != revision)
            names.insert(entity);
    for (const auto& [entity, version] : documents)
        if (!rows.contains(entity)) names.insert(entity);
    return names;
}

}  // namespace

TEST_CASE("every entity that differs is a suspect exactly once, and nothing that is the same") {
    CHECK(rc::check([] {
        const States rows = some_states();
        States documents = rows;
        for (const auto& [entity, version] : some_states())
            documents[entity] = version;
        for (const auto& [entity, version] : some_states())
            documents.erase(entity);
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        const auto suspects_max = *rc::gen::inRange<std::size_t>(1, 100);

        Buckets buckets;
        for (const auto& [entity, revision] : rows) {
            const EntityHash hash = hash_of(entity, seed);
            buckets.add(hash.bucket(), fingerprint(hash, revision, 0));
        }
        for (const auto& [entity, version] : documents) {
            const EntityHash hash = hash_of(entity, seed);
            buckets.take_away(hash.bucket(), fingerprint(hash, version, 0));
        }
        std::set<std::string> found;
        for (std::size_t from = buckets.next_differing(0); from < limits::buckets;) {
            Suspects round(buckets, from, suspects_max);
            for (const auto& [entity, revision] : rows) {
                const EntityHash hash = hash_of(entity, seed);
                round.add_row(entity, hash, revision, fingerprint(hash, revision, 0));
            }
            for (const auto& [entity, version] : documents) {
                const EntityHash hash = hash_of(entity, seed);
                round.add_document(entity, hash, fingerprint(hash, version, 0));
            }
            RC_ASSERT(round.next_round() > from);
            from = round.next_round();
            for (const Suspect& suspect : round.take()) {
                RC_ASSERT(found.insert(suspect.entity).second);
                RC_ASSERT(suspect.at_fixed.has_value() == rows.contains(suspect.entity));
            }
        }
        RC_ASSERT(found == differing(rows, documents));
    }));
}
