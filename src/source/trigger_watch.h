// Whether an outbox's triggers are still there while its pipeline runs. They go with their table when that is
// dropped and made anew, or swapped for a copy (an online schema change); then changes are not seen any more.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "config/config.h"
#include "source/connection.h"
#include "source/outbox_triggers.h"

namespace pawl::source {

class TriggerWatch {
  public:
    // Looks what is there. Where the application writes the outbox, nothing is watched.
    static Result<TriggerWatch> begin(Connection& connection, const config::MariaDb& settings,
                                      const config::Pipeline& pipeline);

    // What is to be said when some are gone since then, kind invalid; nothing: none is. Looks at the tables
    // concerned only. An error of the result is what kept it from looking.
    Result<std::optional<Error>> look(Connection& connection) const;

  private:
    TriggerWatch(std::string database, std::string outbox)
        : database_(std::move(database)), outbox_(std::move(outbox)) {}

    std::string database_;
    std::string outbox_;
    OutboxTriggers before_ = {};
};

}  // namespace pawl::source
