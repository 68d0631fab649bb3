// A table with an outbox for somebody who is not the daemon: `pawl verify`. Synchronous, on a connection of
// its own.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "config/config.h"
#include "source/interrupt.h"
#include "source/outbox_clean_up.h"
#include "source/outbox_reader.h"
#include "source/table_entities.h"
#include "source/view_connection.h"

namespace pawl::source {

// One thread. Any error ends the view's use; a new one begins anew.
class TableView {
  public:
    // Connects and checks the tables. `interrupt` must outlive it; triggering it ends every call.
    static Result<TableView> open(const config::MariaDb& settings, const config::Pipeline& pipeline,
                                  Interrupt& interrupt);

    // As OutboxReader.
    Result<engine::Revision> history_end();
    // A page of the table itself, from a snapshot of its own: the rows behind the position `after`, which is
    // a former page's `table_through`; "": the first ones.
    Result<std::shared_ptr<const engine::Page>> read(const std::string& after, std::uint32_t rows_max,
                                                     std::uint64_t bytes_max);
    // As TableEntities.
    Result<EntitiesNow> look_at(std::span<const std::string> ids);
    // Each gets a row in the outbox, all in one transaction (OutboxCleanUp::run says which do not).
    Result<void> add_rows(std::span<const std::string> ids);

  private:
    explicit TableView(ViewConnection connection) : connection_(std::move(connection)) {}

    ViewConnection connection_;
    std::unique_ptr<OutboxReader> reader_;
    std::unique_ptr<DocumentBuilder> builder_;
    std::unique_ptr<TableEntities> entities_;
    std::unique_ptr<OutboxCleanUp> clean_up_;
};

}  // namespace pawl::source
