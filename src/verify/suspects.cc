#include "verify/suspects.h"

#include <utility>

#include "verify/limits.h"

namespace pawl::verify {

Suspects::Suspects(const Buckets& buckets, std::size_t from, std::size_t suspects_max)
    : buckets_(buckets), from_(from), end_(limits::buckets), suspects_max_(suspects_max) {}

void Suspects::add_row(std::string_view entity, const EntityHash& hash, engine::Revision revision,
                       std::uint64_t fingerprint) {
    Sides* const sides = sides_of(entity, hash);
    // A source may give an entity more than one of its rows (equal ids under the collation): the latest
    // counts.
    if (sides != nullptr && (!sides->revision || *sides->revision < revision)) {
        sides->revision = revision;
        sides->row = fingerprint;
    }
    make_room();
}

void Suspects::add_document(std::string_view entity, const EntityHash& hash, std::uint64_t fingerprint) {
    if (Sides* const sides = sides_of(entity, hash)) {
        sides->document = fingerprint;
        sides->has_document = true;
    }
    make_room();
}

Suspects::Sides* Suspects::sides_of(std::string_view entity, const EntityHash& hash) {
    const std::size_t bucket = hash.bucket();
    if (bucket < from_ || bucket >= end_ || !buckets_.differs(bucket)) return nullptr;
    const auto [place, is_new] = found_[bucket].try_emplace(std::string(entity));
    if (is_new) ++count_;
    return &place->second;
}

void Suspects::make_room() {
    while (count_ > suspects_max_ && found_.size() > 1) {
        const auto last = std::prev(found_.end());
        end_ = last->first;
        count_ -= last->second.size();
        found_.erase(last);
    }
}

std::size_t Suspects::next_round() const {
    return end_ == limits::buckets ? end_ : buckets_.next_differing(end_);
}

std::vector<Suspect> Suspects::take() {
    std::vector<Suspect> suspects;
    for (const auto& [bucket, entities] : std::exchange(found_, {}))
        for (const auto& [entity, sides] : entities) {
            const bool same = sides.revision && sides.has_document && sides.row == sides.document;
            if (!same) suspects.push_back({entity, sides.revision});
        }
    count_ = 0;
    return suspects;
}

}  // namespace pawl::verify
