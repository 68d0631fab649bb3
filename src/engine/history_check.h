// Is the history still the one that the index was fed from? MariaDB may have been restored from a backup, the
// table truncated, another table put in its place: then revisions are handed out again, every new row would
// lose against the index, or not be read at all.
//
// It is, as long as the newest row that is known of it, its anchor, is there and has not changed. Every read
// looks at it in the same snapshot, so that no row of another history is taken for one of this: not for the
// next one, and not for a latest one, which would be the new anchor. Not where an index is filled: all its
// rows are older than its anchor, and pages are many.
// Older anchors must not have changed; that one is gone may be an operator's doing who prunes old versions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/batch_work.h"
#include "engine/request.h"
#include "journal/record.h"

namespace pawl::engine {

// What an entity is quarantined with whose document has a version that the history does not know.
inline constexpr std::string_view foreign_version = "foreign_version";

// A 409 that names a version of which pawl knows nothing.
struct Doubt {
    BatchId batch = 0;
    std::uint32_t place = 0;  // in the batch's actions
    LookUpRequest::Version version;
};

struct HistoryQuestion {
    struct Expected {
        journal::Anchor anchor;
        std::uint64_t shape = 0;  // that its digest was made with
    };
    std::vector<Expected> anchors;
    Revision end_at_least = 0;  // rows up to here have been read
    std::vector<Doubt> doubts;

    LookUpRequest request(RequestId id) const;
    // The row at this revision as the answer has it; empty: it was not asked for, or is not there.
    std::optional<journal::Anchor> found_at(Revision revision, const LookUpAnswer& answer) const;
};

// Why a page that was read beside its anchor's row cannot be of the history that it was; empty: it can.
std::optional<std::string> why_went_back(const journal::Anchor& anchor, std::uint64_t shape,
                                         const Page& page);

// The same of a look-up.
std::optional<std::string> why_went_back(const HistoryQuestion& question, const LookUpAnswer& answer);

}  // namespace pawl::engine
