// Whether a pipeline can be read as configured: everything that can be known before reading, all of it in one
// go.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "source/connection.h"
#include "source/findings.h"
#include "source/table.h"

namespace pawl::source {

struct Checked {
    std::optional<Table> table;  // what could be found out about it
    std::vector<Finding> findings;
};

// Looks at the table on an open connection. It takes and gives back `LOCK TABLES … READ NOWAIT`, which never
// makes a writer wait; nothing is changed. An error is only for what kept it from looking (a lost
// connection).
Result<Checked> check_table(Connection& connection, const config::MariaDb& settings,
                            const config::Pipeline& pipeline);

// The same with a connection of its own; a server that cannot be reached is a finding. For `pawl check`.
std::vector<Finding> check(const config::MariaDb& settings, const config::Pipeline& pipeline,
                           Interrupt& interrupt);

// The table, or its errors as one.
Result<Table> fit_table(Connection& connection, const config::MariaDb& settings,
                        const config::Pipeline& pipeline);

}  // namespace pawl::source
