// How far an outbox has handed out ids.
#pragma once

#include <string>

#include "base/error.h"
#include "engine/request.h"
#include "source/connection.h"
#include "source/outbox_layout.h"

namespace pawl::source {

class OutboxCounter {
  public:
    explicit OutboxCounter(const OutboxLayout& layout);

    // At least the highest id that was ever inserted (OutboxCleanUp::take_id's are); ids that were only
    // handed out count too, as far as the server has not been started anew since then. Error, kind
    // unavailable: the outbox is gone, or what Connection::rows says.
    Result<engine::Revision> end(Connection& connection) const;
    // The highest id of a row that the transaction sees; 0: there is none.
    Result<engine::Revision> highest(Connection& connection) const;

  private:
    std::string counter_select_;
    std::string highest_select_;
};

}  // namespace pawl::source
