// Reads the outbox: which rows are there, and which entities they name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/page.h"
#include "source/body.h"
#include "source/connection.h"
#include "source/outbox_layout.h"

namespace pawl::source {

struct ChangedEntity {
    engine::Revision first = 0;           // its lowest row among those that were read
    std::string id;                       // as the document's id has it; empty where a part is NULL
    std::optional<Problem> problem = {};  // no document can have this id
};

struct Changes {
    std::vector<ChangedEntity> entities;                              // rising by `first`
    std::vector<std::pair<engine::Revision, std::size_t>> rows = {};  // rising; of which entity
    engine::Revision covered_through = 0;  // every row that was asked for at or below it is there
};

class OutboxChanges {
  public:
    explicit OutboxChanges(const OutboxLayout& layout);

    // The first of the rows among `revisions`, which name at most `entities_max` entities, and at most
    // limits::outbox_rows_per_entity times as many rows (or outbox_rows_min). Within the caller's
    // transaction.
    Result<Changes> read(Connection& connection, const engine::IntervalSet& revisions,
                         std::uint64_t entities_max) const;

    // The id of the entity whose key has the values that stand in these cells, from `at` on, NULL or not; or
    // why it has none that a document could have.
    ChangedEntity entity_in(const ResultSet& row, std::size_t at) const;

  private:
    EntityKey entity_;
    std::vector<bool> is_integer_;  // of the key's columns
    std::string columns_;           // for messages
    std::string select_;
};

}  // namespace pawl::source
