#include "journal/digest.h"

#include <array>
#include <cstddef>

#include <xxhash.h>

#include "base/assert.h"

namespace pawl::journal {
namespace {

template <class Number>
void put_little_endian(unsigned char* to, Number number) {
    for (std::size_t i = 0; i < sizeof(Number); ++i)
        to[i] = static_cast<unsigned char>(number >> (8 * i));
}

}  // namespace

struct BatchDigest::State {
    // XXH3_createState, since the state must be aligned to 64 bytes.
    XXH3_state_t* hash = XXH3_createState();
    State() { PAWL_ASSERT(hash != nullptr && XXH3_64bits_reset(hash) == XXH_OK); }
    ~State() { XXH3_freeState(hash); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
};

BatchDigest::BatchDigest() : state_(std::make_unique<State>()) {}
BatchDigest::~BatchDigest() = default;

void BatchDigest::add(std::string_view entity, Revision revision, std::uint8_t action) {
    PAWL_ASSERT(action >= 1 && action <= 3);
    // The length goes before the entity, so that no two lists of actions hash the same bytes.
    std::array<unsigned char, 17> head{};
    put_little_endian(head.data(), std::uint64_t{entity.size()});
    put_little_endian(head.data() + 8, revision);
    head[16] = action;
    XXH3_64bits_update(state_->hash, head.data(), head.size());
    XXH3_64bits_update(state_->hash, entity.data(), entity.size());
}

std::uint64_t BatchDigest::value() const {
    return XXH3_64bits_digest(state_->hash);
}

std::uint64_t digest_of(std::string_view bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace pawl::journal
