// The entities of differing buckets, gathered from both sides again, as many as fit at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/page.h"
#include "verify/buckets.h"
#include "verify/fingerprint.h"

namespace pawl::verify {

struct Suspect {
    std::string entity;
    // The latest row at or below the fixed revision, unless that deletes it.
    std::optional<engine::Revision> at_fixed;
};

// One round. Buckets from `from` on; the round ends before the first bucket that does not fit any more, which
// is where the next one begins. A single bucket always fits: with 50,000 entities in one there would be 50
// billion documents.
class Suspects {
  public:
    // `buckets` must outlive it.
    Suspects(const Buckets& buckets, std::size_t from, std::size_t suspects_max);

    void add_row(std::string_view entity, const EntityHash& hash, engine::Revision revision,
                 std::uint64_t fingerprint);
    void add_document(std::string_view entity, const EntityHash& hash, std::uint64_t fingerprint);

    // Where the next round begins; limits::buckets: nothing is left.
    std::size_t next_round() const;
    // Entities whose two sides are not the same, by bucket. The others were, at the moment when both were
    // read.
    std::vector<Suspect> take();

  private:
    struct Sides {
        std::optional<engine::Revision> revision;  // the row's
        std::uint64_t row = 0;                     // fingerprints; of rows the latest one's
        std::uint64_t document = 0;
        bool has_document = false;
    };
    Sides* sides_of(std::string_view entity, const EntityHash& hash);
    void make_room();

    const Buckets& buckets_;
    std::size_t from_;
    std::size_t end_;  // buckets at or above are left to the next round
    std::size_t suspects_max_;
    std::size_t count_ = 0;
    std::map<std::size_t, std::unordered_map<std::string, Sides>> found_;  // by bucket
};

}  // namespace pawl::verify
