// What `pawl outbox-sql` prints or runs: step by step, with what is so already.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "source/connection.h"

namespace pawl::source {

struct SetupStep {
    std::string what;  // "table karp.pawl_outbox_lex"
    std::string sql;   // one statement; running it again is harmless
    bool is_done;      // there is nothing to do
};

// Makes the outbox and its triggers. An outbox that the user may not see is taken for one that is not there:
// before it is made nobody can grant anything on it, and making it twice is harmless. Errors: unavailable;
// invalid where the tables do not fit, or somebody else's trigger has the name of one of these.
Result<std::vector<SetupStep>> outbox_setup(Connection& connection, const std::string& database,
                                            const config::Source& source);

// Takes them away: triggers first, the table as the last step. Errors: unavailable; decision where the outbox
// still has rows, unless `with_rows`; invalid where somebody else's trigger writes to the outbox: those who
// set it off would fail without the table.
Result<std::vector<SetupStep>> outbox_removal(Connection& connection, const std::string& database,
                                              const config::Source& source, bool with_rows);

// Runs one step. It waits limits::trigger_lock_wait_s for transactions that use the table, and no longer:
// meanwhile all other writers to it wait, too.
Result<void> carry_out(Connection& connection, const SetupStep& step);

}  // namespace pawl::source
