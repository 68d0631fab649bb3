// The latest rows of entities that are known by their ids alone: of documents that an index holds, and that
// no read of the history has shown.
//
// The ids come from outside and are never pasted into a statement as they are: they travel as hexadecimal
// digits (`_utf8mb4 X'6162'`). The key on the entity column finds the rows that its collation holds equal; of
// those only the ones with the same bytes count, in the connection's character set, which is what a
// document's id is made of.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/page.h"
#include "source/connection.h"
#include "source/table.h"

namespace pawl::source {

class EntityRows {
  public:
    // The table must have passed the checks.
    EntityRows(const Table& table, const config::Source& source);

    // The highest revision of each entity, in the order asked; empty: no row is this entity. At most
    // limits::entities_per_statement_max ids, not none.
    Result<std::vector<std::optional<engine::Revision>>> latest(Connection& connection,
                                                                std::span<const std::string> ids) const;

    // For tests that ask the server how it carries it out.
    std::string statement(std::span<const std::string> ids) const;

  private:
    std::string condition(const std::string& id) const;

    std::string select_;  // "(SELECT … WHERE "
    std::string order_;
    Column column_;
    std::string entity_;  // quoted
};

}  // namespace pawl::source
