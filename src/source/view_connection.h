// The connection of a view (history_view.h, table_view.h): to one server, and opened anew where a reader has
// given it up because its rest would have been too long to read.
#pragma once

#include <string>

#include "config/config.h"
#include "source/connection.h"
#include "source/interrupt.h"

namespace pawl::source {

// One thread.
class ViewConnection {
  public:
    // Connects. `interrupt` must outlive it; triggering it ends every call.
    static Result<ViewConnection> open(config::MariaDb settings, Interrupt& interrupt);

    // Open; valid as long as this is. Error: it leads to another server now, or to none.
    Result<Connection*> get();

  private:
    ViewConnection(config::MariaDb settings, Interrupt& interrupt, Connection connection, std::string server)
        : settings_(std::move(settings)),
          interrupt_(&interrupt),
          connection_(std::move(connection)),
          server_(std::move(server)) {}

    config::MariaDb settings_;
    Interrupt* interrupt_;
    Connection connection_;
    std::string server_;  // that it leads to
};

}  // namespace pawl::source
