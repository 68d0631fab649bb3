#include "engine/history_check.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/planted.h"

namespace pawl::engine {
namespace {

using Expected = HistoryQuestion::Expected;

// Of different shapes only the half is compared that is of revision and entity; where the shape is not known,
// it is enough that the row is there.
bool agrees(const Expected& expected, const std::optional<std::uint64_t>& found, std::uint64_t shape) {
    constexpr unsigned half = 32;
    if (!found || expected.shape == shape) return found == expected.anchor.digest;
    return expected.shape == 0 || *found >> half == expected.anchor.digest >> half;
}

std::string how_far(const HistoryQuestion& question, const LookUpAnswer& answer) {
    Revision agreed = 0;
    for (std::size_t i = 0; i < question.anchors.size(); ++i)
        if (agrees(question.anchors[i], answer.anchors[i], answer.shape))
            agreed = std::max(agreed, question.anchors[i].anchor.revision);
    return agreed == 0 ? "no known row is as it was" : fmt::format("row {} is as it was", agreed);
}

}  // namespace

LookUpRequest HistoryQuestion::request(RequestId id) const {
    LookUpRequest request{.id = id, .anchors = {}, .versions = {}};
    for (const Expected& expected : anchors)
        request.anchors.push_back(expected.anchor.revision);
    for (const Doubt& doubt : doubts)
        request.versions.push_back(doubt.version);
    return request;
}

std::optional<journal::Anchor> HistoryQuestion::found_at(Revision revision,
                                                         const LookUpAnswer& answer) const {
    PAWL_ASSERT(answer.anchors.size() == anchors.size());
    for (std::size_t i = 0; i < anchors.size(); ++i)
        if (anchors[i].anchor.revision == revision && answer.anchors[i])
            return journal::Anchor{revision, *answer.anchors[i]};
    return std::nullopt;
}

std::optional<std::string> why_went_back(const journal::Anchor& anchor, std::uint64_t shape,
                                         const Page& page) {
    if (PAWL_PLANTED(anchor_not_checked) || agrees({anchor, shape}, page.digest_beside, page.shape))
        return std::nullopt;
    return fmt::format("the row with revision {} {}", anchor.revision,
                       page.digest_beside ? "is another one" : "is gone");
}

std::optional<std::string> why_went_back(const HistoryQuestion& question, const LookUpAnswer& answer) {
    PAWL_ASSERT(answer.anchors.size() == question.anchors.size());
    if (PAWL_PLANTED(anchor_not_checked)) return std::nullopt;
    Revision newest = 0;
    for (const Expected& expected : question.anchors)
        newest = std::max(newest, expected.anchor.revision);
    for (std::size_t i = 0; i < question.anchors.size(); ++i) {
        const Expected& expected = question.anchors[i];
        const auto& found = answer.anchors[i];
        if (agrees(expected, found, answer.shape)) continue;
        if (!found && expected.anchor.revision < newest) continue;
        return fmt::format("the row with revision {} {}; {}, and the history ends at {}",
                           expected.anchor.revision, found ? "is another one" : "is gone",
                           how_far(question, answer), answer.history_end);
    }
    if (answer.history_end < question.end_at_least)
        return fmt::format("the history ends at revision {}, but rows up to {} have been read from it",
                           answer.history_end, question.end_at_least);
    return std::nullopt;
}

}  // namespace pawl::engine
