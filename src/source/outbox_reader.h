// Answers read requests in outbox mode on an open connection: which entities have rows in the outbox, and the
// rows that those entities have now, from one snapshot.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/request.h"
#include "source/connection.h"
#include "source/document.h"
#include "source/outbox_changes.h"
#include "source/outbox_counter.h"
#include "source/outbox_layout.h"
#include "source/row_sizes.h"
#include "source/table_pages.h"

namespace pawl::source {

// Of one pipeline; one thread. Keeps memory, and what it has learned about the size of rows, from page to
// page.
class OutboxReader {
  public:
    OutboxReader(const OutboxLayout& layout, const config::Pipeline& pipeline);

    // One page (engine/request.h says what it holds). After an error the connection must be closed; it may
    // also come back abandoned with a good page, as Reader's.
    Result<std::shared_ptr<const engine::Page>> read(Connection& connection,
                                                     const engine::ReadRequest& request);

    // OutboxCounter's end.
    Result<engine::Revision> history_end(Connection& connection) const;

    Result<engine::LookUpAnswer> look_up(Connection& connection, const engine::LookUpRequest& request) const;

    // Digest of what becomes of a row's columns.
    std::uint64_t shape() const { return shape_; }

    // The server's guess at how many rows the table has, from when it was looked at.
    std::uint64_t rows_estimate() const { return rows_estimate_; }

    // The statement that gives these entities' rows, for tests that ask the server how it carries it out.
    std::string present_statement(std::span<const ChangedEntity> entities) const;

  private:
    Result<void> read_changed(Connection& connection, const engine::ReadRequest& request, engine::Page& page);
    Result<std::vector<engine::Row>> read_present(Connection& connection,
                                                  std::span<const ChangedEntity> entities,
                                                  std::uint64_t bytes_max, engine::Page& page);
    Result<void> take(Connection& connection, std::span<const ChangedEntity> entities,
                      std::uint64_t bytes_max, engine::Page& page, std::vector<engine::Row>& rows);
    engine::Row row_of(const ChangedEntity& entity, const Cells& cells, engine::Page& page);

    DocumentBuilder builder_;
    OutboxChanges changes_;
    TablePages pages_;
    std::string select_;
    OutboxCounter counter_;
    std::uint64_t shape_;
    std::uint64_t rows_estimate_;
    RowSizes sizes_;
};

}  // namespace pawl::source
