// The digests that the journal keeps in place of content. XXH3, 64 bits; part of the file format.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "journal/interval_set.h"

namespace pawl::journal {

// Accumulates over (entity, revision, action) of a batch's actions, in order; the layout that is hashed is in
// FORMAT.md. `action`: 1 index, 2 delete, 3 invalid.
class BatchDigest {
  public:
    BatchDigest();
    ~BatchDigest();
    BatchDigest(const BatchDigest&) = delete;
    BatchDigest& operator=(const BatchDigest&) = delete;

    void add(std::string_view entity, Revision revision, std::uint8_t action);
    std::uint64_t value() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Digest of any bytes, such as an entity's id.
std::uint64_t digest_of(std::string_view bytes);

}  // namespace pawl::journal
