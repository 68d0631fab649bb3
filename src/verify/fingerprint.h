// An entity's state as one number, so that two sets of entities can be compared by sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/page.h"

namespace pawl::verify {

// Which bucket an entity belongs to depends on its id alone, so that all that is known of it meets there.
struct EntityHash {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::size_t bucket() const;  // below limits::buckets
};

// `seed`: another one for each comparison, so that two states that happen to have one number do so once.
EntityHash hash_of(std::string_view entity, std::uint64_t seed);

// `content`: digest of the document; 0 when contents are not compared.
std::uint64_t fingerprint(const EntityHash& entity, engine::Revision revision, std::uint64_t content);

}  // namespace pawl::verify
