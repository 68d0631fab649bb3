// A small world in which the truth is known: an entity's rows, a rightful writer of the index that may be
// late, and mistakes that somebody makes by hand. A verdict of "different" must mean a mistake; no mistake
// may be called equal.
#include "verify/judge.h"

#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

using namespace pawl::verify;
using pawl::engine::Revision;

namespace {

struct History {
    std::vector<std::pair<Revision, bool>> rows;  // rising; whether it deletes

    std::optional<Latest> at(Revision through) const {
        std::optional<Latest> found;
        for (const auto& [revision, deletes] : rows)
            if (revision <= through) found = Latest{revision, deletes};
        return found;
    }
    bool has(Revision revision) const {
        return std::ranges::any_of(rows, [&](const auto& row) { return row.first == revision; });
    }
};

History some_history() {
    History history;
    for (const Revision revision : *rc::gen::container<std::set<Revision>>(rc::gen::inRange<Revision>(1, 30)))
        history.rows.emplace_back(revision, *rc::gen::weightedElement<bool>({{2, false}, {1, true}}));
    return history;
}

Looked look(const History& history, Revision settled, Revision read_through,
            std::optional<Revision> indexed) {
    Looked looked;
    looked.settled = settled;
    looked.indexed = indexed;
    looked.latest = history.at(read_through);
    const Revision fixed = *rc::gen::inRange<Revision>(0, settled + 1);
    if (const auto row = history.at(fixed); row && !row->deletes) looked.at_fixed = row->revision;
    looked.indexed_is_row = indexed && history.has(*indexed) && *indexed <= read_through;
    return looked;
}

}  // namespace

TEST_CASE("an index that a rightful writer feeds, however late, never differs") {
    CHECK(rc::check([] {
        const History history = some_history();
        const auto settled = *rc::gen::inRange<Revision>(0, 30);
        const auto applied = *rc::gen::inRange<Revision>(settled, 31);  // what it had sent when it was asked
        const auto read_through = *rc::gen::inRange<Revision>(applied, 31);
        std::optional<Revision> indexed;
        if (const auto row = history.at(applied); row && !row->deletes) indexed = row->revision;
        const Verdict verdict = judge(look(history, settled, read_through, indexed));
        RC_ASSERT(verdict.finding != Finding::different);
        if (applied == read_through) RC_ASSERT(verdict.finding == Finding::equal);
    }));
}

TEST_CASE("an index that is not as it must be is never called equal, and what can be healed is") {
    CHECK(rc::check([] {
        const History history = some_history();
        const auto settled = *rc::gen::inRange<Revision>(0, 31);
        const auto latest = history.at(settled);
        std::optional<Revision> right;
        if (latest && !latest->deletes) right = latest->revision;
        std::optional<Revision> indexed;
        if (*rc::gen::arbitrary<bool>()) indexed = *rc::gen::inRange<Revision>(1, 40);
        // Nothing is on its way: all rows are settled.
        const Verdict verdict = judge(look(history, settled, settled, indexed));
        RC_ASSERT((verdict.finding == Finding::equal) == (indexed == right));
        RC_ASSERT(verdict.finding != Finding::unsettled);
        if (verdict.finding != Finding::different) return;
        // external_gte: a row that is sent again wins unless the index holds a higher version.
        if (latest) RC_ASSERT(verdict.can_be_healed == (!indexed || *indexed <= latest->revision));
        RC_ASSERT((verdict.kind == Kind::surplus) == !latest.has_value());
        RC_ASSERT((verdict.kind == Kind::missing) == !indexed.has_value());
    }));
}
