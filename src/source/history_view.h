// The history of one pipeline for one who looks and waits: what source/mariadb_source.h answers by events, as
// calls, on a connection of its own. Changes nothing.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/request.h"
#include "source/entity_rows.h"
#include "source/interrupt.h"
#include "source/reader.h"
#include "source/view_connection.h"

namespace pawl::source {

// One thread. Any error ends the view's use; a new one begins anew.
class HistoryView {
  public:
    // Connects and checks the table. `interrupt` must outlive it; triggering it ends every call.
    static Result<HistoryView> open(const config::MariaDb& settings, const config::Pipeline& pipeline,
                                    DocumentsRead documents, Interrupt& interrupt);

    // The highest revision that is there; 0: none.
    Result<engine::Revision> history_end();
    Result<std::shared_ptr<const engine::Page>> read(const engine::ReadRequest& request);
    Result<engine::LookUpAnswer> look_up(const engine::LookUpRequest& request);
    // As EntityRows.
    Result<std::vector<std::optional<engine::Revision>>> latest_of(std::span<const std::string> ids);

  private:
    explicit HistoryView(ViewConnection connection) : connection_(std::move(connection)) {}

    ViewConnection connection_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<EntityRows> entity_rows_;
};

}  // namespace pawl::source
