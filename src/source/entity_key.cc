#include "source/entity_key.h"

#include <algorithm>

#include "base/assert.h"

namespace pawl::source {

std::string EntityKey::id_of(std::span<const std::string_view> values) const {
    PAWL_ASSERT(values.size() == form_.columns.size());
    std::string id = form_.literals.front();
    for (std::size_t at = 0; at < values.size(); ++at) {
        id += values[at];
        id += form_.literals[at + 1];
    }
    return id;
}

std::optional<std::vector<std::string_view>> EntityKey::values_of(std::string_view id) const {
    if (!id.starts_with(form_.literals.front())) return std::nullopt;
    id.remove_prefix(form_.literals.front().size());
    std::vector<std::string_view> values;
    for (std::size_t at = 1; at < form_.columns.size(); ++at) {
        const std::string& literal = form_.literals[at];
        const auto end = id.find(literal);
        if (end == std::string_view::npos) return std::nullopt;
        values.push_back(id.substr(0, end));
        id.remove_prefix(end + literal.size());
    }
    if (!id.ends_with(form_.literals.back())) return std::nullopt;
    id.remove_suffix(form_.literals.back().size());
    values.push_back(id);
    return values;
}

bool EntityKey::is_ambiguous(std::span<const std::string_view> values) const {
    if (values.size() == 1) return false;
    const std::string id = id_of(values);
    const auto back = values_of(id);
    return !back || !std::ranges::equal(*back, values);
}

}  // namespace pawl::source
