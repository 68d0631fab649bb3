// Whether a pipeline in outbox mode can be read as configured: its tables, its outbox, its triggers, and what
// goes past them.
#pragma once

#include <vector>

#include "config/config.h"
#include "source/connection.h"
#include "source/findings.h"

namespace pawl::source {

// Changes nothing. An error is only for what kept it from looking (a lost connection).
Result<std::vector<Finding>> check_outbox(Connection& connection, const config::MariaDb& settings,
                                          const config::Pipeline& pipeline);

}  // namespace pawl::source
