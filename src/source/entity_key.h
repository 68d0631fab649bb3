// An entity's id and the values of the key columns that it is made of. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace pawl::source {

class EntityKey {
  public:
    explicit EntityKey(config::EntityForm form) : form_(std::move(form)) {}

    const std::vector<std::string>& columns() const { return form_.columns; }

    // The id of the entity with these values, one for each column.
    std::string id_of(std::span<const std::string_view> values) const;

    // The values that an id stands for, as views into it: each but the last ends where the text that follows
    // it in the template comes first. Empty: it does not fit the template.
    std::optional<std::vector<std::string_view>> values_of(std::string_view id) const;

    // Whether another key may have the id of these values too: "a/b" and "c" give the same one as "a" and
    // "b/c". Of such keys there is just one that is not ambiguous, so that no two others share an id.
    bool is_ambiguous(std::span<const std::string_view> values) const;

  private:
    config::EntityForm form_;
};

}  // namespace pawl::source
