#include "engine/coalesce.h"

#include <algorithm>
#include <unordered_map>

#include "base/assert.h"
#include "journal/digest.h"

namespace pawl::engine {

std::vector<Row> coalesce(std::span<const Row> rows) {
    std::unordered_map<std::string_view, std::size_t> place_of_entity;
    place_of_entity.reserve(rows.size());
    std::vector<Row> actions;
    actions.reserve(rows.size());
    for (const Row& row : rows) {
        const auto [found, is_new] = place_of_entity.try_emplace(row.entity, actions.size());
        if (is_new)
            actions.push_back(row);
        else if (actions[found->second].revision < row.revision)
            actions[found->second] = row;
    }
    std::sort(actions.begin(), actions.end(),
              [](const Row& left, const Row& right) { return left.revision < right.revision; });
    return actions;
}

journal::BatchContent content_of(std::span<const Row> actions, std::uint64_t rows) {
    PAWL_ASSERT(rows >= actions.size());
    journal::BatchContent content;
    journal::BatchDigest digest;
    content.rows = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows, UINT32_MAX));
    for (const Row& action : actions) {
        switch (action.action) {
            case Action::index:
                ++content.indexed;
                break;
            case Action::remove:
                ++content.removed;
                break;
            case Action::invalid:
                ++content.invalid;
                break;
        }
        digest.add(action.entity, action.revision, static_cast<std::uint8_t>(action.action));
    }
    content.digest = digest.value();
    return content;
}

}  // namespace pawl::engine
