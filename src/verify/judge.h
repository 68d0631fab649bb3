// What an exact look at one entity means. Pure.
//
// The index is asked first, the history after it: so the history shows every row that a rightful writer of
// the index can have sent, and a document is never ahead of it by right.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/page.h"

namespace pawl::verify {

enum class Kind : std::uint8_t {
    missing = 1,  // the entity lives, the index has no document
    stale = 2,    // the document is of an older row than it must be
    content = 3,  // the version is right, the document is another one
    risen = 4,    // the entity is deleted, the index has a document
    surplus = 5,  // no row of the history is this entity
    foreign = 6,  // a version that no row of the entity has: somebody else has written
};
inline constexpr std::array kinds{Kind::missing, Kind::stale,   Kind::content,
                                  Kind::risen,   Kind::surplus, Kind::foreign};
std::string_view name_of(Kind kind);  // "missing", "stale", …

// An entity's latest row of the whole history.
struct Latest {
    engine::Revision revision = 0;
    bool deletes = false;
};

struct Looked {
    // Rows at or below it were settled before the index was asked: it had them, or a later one.
    engine::Revision settled = 0;
    std::optional<engine::Revision> at_fixed;  // the row that lived at the fixed revision, <= settled
    std::optional<engine::Revision> indexed;   // the document's version; empty: there is none
    bool indexed_is_row = true;                // … is a revision of this entity
    std::optional<Latest> latest;              // empty: no row of the history is this entity
    bool same_content = true;                  // where `indexed` is the latest row's revision
};

enum class Finding : std::uint8_t {
    equal = 1,
    different = 2,
    unsettled = 3,  // it has changed since the fixed revision, and the index need not have that yet
};

struct Verdict {
    Finding finding = Finding::equal;
    Kind kind = Kind::missing;  // when different
    // When different: sending the entity's latest row again mends it. Of a surplus one: taking it out does.
    bool can_be_healed = true;
    bool operator==(const Verdict&) const = default;
};

Verdict judge(const Looked& looked);

// The same of a table without a history, whose changed entities have rows in an outbox until the index has
// them. The document was seen before and after one snapshot of table and outbox. So where it was the same
// both times and no row waits, it must be what the table says: what was committed before the snapshot was in
// the index before its row went, and what came later would have changed it.
struct TableLooked {
    bool is_pending = false;                  // rows of the outbox name the entity
    bool has_changed = false;                 // another document after the snapshot than before it
    std::optional<engine::Revision> indexed;  // the document's version, after it; empty: there is none
    engine::Revision outbox_end = 0;          // ids at or below it may have been handed out, by now
    bool has_row = false;
    bool same_content = true;  // where there are both
};

// Never stale or risen, which only a history can tell from content and surplus.
Verdict judge(const TableLooked& looked);

}  // namespace pawl::verify
