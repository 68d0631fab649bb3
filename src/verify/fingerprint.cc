#include "verify/fingerprint.h"

#include <array>

#include <xxhash.h>

#include "verify/limits.h"

namespace pawl::verify {

std::size_t EntityHash::bucket() const {
    return static_cast<std::size_t>(low >> (64U - limits::bucket_bits));
}

EntityHash hash_of(std::string_view entity, std::uint64_t seed) {
    const XXH128_hash_t hash = XXH3_128bits_withSeed(entity.data(), entity.size(), seed);
    return {.low = hash.low64, .high = hash.high64};
}

std::uint64_t fingerprint(const EntityHash& entity, engine::Revision revision, std::uint64_t content) {
    const std::array<std::uint64_t, 4> state{entity.low, entity.high, revision, content};
    return XXH3_64bits(state.data(), sizeof(state));
}

}  // namespace pawl::verify
