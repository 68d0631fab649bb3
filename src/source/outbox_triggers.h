// Which triggers there are, beside those that an outbox wants (source/outbox_sql.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "source/connection.h"
#include "source/outbox_sql.h"

namespace pawl::source {

enum class TriggerState : std::uint8_t {
    right,
    outdated,  // it writes to this outbox, but not as the config wants it now
    foreign,   // of this name, but somebody else's
    missing,
    hidden,  // it is there, and the user may not see it
};

// What makes them, for an operator.
inline constexpr std::string_view run_outbox_sql =
    "run `pawl outbox-sql --apply`, or give what `pawl outbox-sql` prints to an administrator";

struct TriggerOnTable {
    std::string name;
    std::string table;
};

struct OutboxTriggers {
    std::vector<Trigger> wanted;
    std::vector<TriggerState> states;    // of the wanted ones
    std::vector<TriggerOnTable> others;  // that write to this outbox too, as far as the user may see them

    bool all(TriggerState state) const;
    // The names of those in this state, with commas between them; empty: none.
    std::string names(TriggerState state) const;
};

// A user sees the triggers of tables for which it has the TRIGGER privilege.
Result<OutboxTriggers> look_at_outbox_triggers(Connection& connection, std::string_view database,
                                               const config::Source& source);

// Names of those that an earlier look has found and that are not on their table any more. Of those that were
// hidden then: that have gone altogether.
Result<std::vector<std::string>> triggers_gone(Connection& connection, std::string_view database,
                                               const OutboxTriggers& before);

}  // namespace pawl::source
