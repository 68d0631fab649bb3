// Single entities as they are at this moment, known by their ids alone: their rows of the table or view, and
// what the outbox still has of them. Of documents that an index holds, and that no read has shown.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/page.h"
#include "source/connection.h"
#include "source/document.h"
#include "source/outbox_changes.h"
#include "source/outbox_layout.h"

namespace pawl::source {

// Of one snapshot, in the order asked.
struct EntitiesNow {
    std::vector<std::optional<engine::Row>> rows;  // index or invalid, at revision 0; empty: there is none
    // Of a rebuild also rows of the outbox that they come from.
    std::vector<std::vector<engine::Revision>> pending;  // rows of the outbox that name the entity, rising
    engine::Page bytes = {};                             // what the rows' views lead to
};

class TableEntities {
  public:
    TableEntities(const OutboxLayout& layout, const RowShape& shape);

    // At most limits::entities_per_statement_max ids, not none, no two alike. A statement for each id, and
    // one over the whole outbox, which has no key on its entities. After an error the connection must be
    // closed.
    Result<EntitiesNow> look_at(Connection& connection, std::span<const std::string> ids,
                                DocumentBuilder& builder) const;

    // For tests that ask the server how it carries it out. Empty: no row can have this id.
    std::optional<std::string> row_statement(const std::string& id) const;

  private:
    Result<std::optional<engine::Row>> row_of(Connection& connection, const std::string& id,
                                              DocumentBuilder& builder, engine::Page& page) const;
    Result<void> find_pending(Connection& connection, std::span<const std::string> ids,
                              EntitiesNow& now) const;
    Result<void> read_pending(Connection& connection, const std::string& statement,
                              const std::unordered_map<std::string_view, std::size_t>& places,
                              EntitiesNow& now) const;
    std::optional<std::string> outbox_key(const std::string& id) const;

    EntityKey entity_;
    OutboxChanges changes_;
    std::vector<KeyColumn> key_;
    std::string row_select_;                    // "SELECT … WHERE "
    std::vector<std::string> pending_selects_;  // "SELECT … WHERE (…) IN ", of each outbox
};

}  // namespace pawl::source
