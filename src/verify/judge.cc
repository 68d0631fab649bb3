#include "verify/judge.h"

#include <array>

#include "base/assert.h"

namespace pawl::verify {
namespace {

constexpr Verdict equal{.finding = Finding::equal};
constexpr Verdict unsettled{.finding = Finding::unsettled};

Verdict different(Kind kind, bool can_be_healed = true) {
    return {.finding = Finding::different, .kind = kind, .can_be_healed = can_be_healed};
}

// It lived and may have been deleted and added again since: then the index may rightly have nothing yet.
Verdict without_document(const Looked& looked) {
    const Latest& latest = *looked.latest;
    if (latest.deletes) return equal;
    return latest.revision <= looked.settled ? different(Kind::missing) : unsettled;
}

}  // namespace

std::string_view name_of(Kind kind) {
    constexpr std::array<std::string_view, 6> names{"missing", "stale",   "content",
                                                    "risen",   "surplus", "foreign"};
    const auto at = static_cast<std::size_t>(kind) - 1;
    PAWL_ASSERT(at < names.size());
    return names[at];
}

Verdict judge(const Looked& looked) {
    PAWL_ASSERT(!looked.at_fixed || *looked.at_fixed <= looked.settled);
    if (!looked.latest) return looked.indexed ? different(Kind::surplus) : equal;
    if (!looked.indexed) return without_document(looked);
    const Latest& latest = *looked.latest;
    const engine::Revision indexed = *looked.indexed;
    if (indexed > latest.revision) return different(Kind::foreign, false);
    if (indexed == latest.revision) {
        if (latest.deletes) return different(Kind::risen);
        return looked.same_content ? equal : different(Kind::content);
    }
    const bool is_due = latest.revision <= looked.settled;
    if (is_due && latest.deletes) return different(Kind::risen);
    if (!looked.indexed_is_row) return different(Kind::foreign);
    // Whatever is on its way: less than what was settled must not be there.
    const bool is_behind = looked.at_fixed && indexed < *looked.at_fixed;
    return is_due || is_behind ? different(Kind::stale) : unsettled;
}

// A version above all ids is foreign whatever the document: every change to come would lose against it.
Verdict judge(const TableLooked& looked) {
    const bool is_foreign = looked.indexed && *looked.indexed > looked.outbox_end;
    const bool same = looked.indexed ? looked.has_row && looked.same_content : !looked.has_row;
    if (same && !is_foreign) return equal;
    if (looked.is_pending || looked.has_changed) return unsettled;
    if (!looked.has_row) return different(Kind::surplus);
    if (!looked.indexed) return different(Kind::missing);
    return is_foreign ? different(Kind::foreign, false) : different(Kind::content);
}

}  // namespace pawl::verify
