#include "source/outbox_triggers.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "source/server_error.h"
#include "source/sql.h"
#include "source/table.h"

namespace pawl::source {
namespace {

struct FoundTrigger {
    std::string name;
    std::string table;
    std::string timing;
    std::string event;
    std::string body;
};

// Of one table, which the server then looks at alone, or (empty) of all.
Result<std::vector<FoundTrigger>> visible_triggers(Connection& connection, std::string_view database,
                                                   std::string_view table) {
    const std::string of_table =
        table.empty() ? "" : fmt::format(" AND EVENT_OBJECT_TABLE = {}", connection.quoted(table));
    const auto rows = connection.rows(
        fmt::format("SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, "
                    "ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {}{} "
                    "ORDER BY EVENT_OBJECT_TABLE, TRIGGER_NAME",
                    connection.quoted(database), of_table));
    if (!rows) return std::unexpected(rows.error());
    std::vector<FoundTrigger> triggers;
    for (const auto& row : *rows)
        triggers.push_back({row[0].value_or(""), row[1].value_or(""), row[2].value_or(""),
                            row[3].value_or(""), row[4].value_or("")});
    return triggers;
}

TriggerState state_of(const Trigger& wanted, const FoundTrigger& found, const std::string& outbox) {
    // Without case, since a server with lower_case_table_names = 1 does not keep it.
    if (!same_name(found.table, wanted.table) || !mentions(found.body, outbox)) return TriggerState::foreign;
    const bool is_right =
        found.timing == "AFTER" && found.event == wanted.event && is_same_body(found.body, wanted.body);
    return is_right ? TriggerState::right : TriggerState::outdated;
}

// information_schema hides it, so the server's own answer must tell.
Result<TriggerState> state_of_unseen(Connection& connection, std::string_view database,
                                     const Trigger& wanted) {
    const std::array<std::string, 1> show{
        fmt::format("SHOW CREATE TRIGGER {}", table_identifier(database, wanted.name))};
    const auto answers = connection.together(show);
    if (!answers) return std::unexpected(answers.error());
    if (!answers->error) return TriggerState::hidden;  // made a moment ago
    if (answers->number == server_error_no_trigger) return TriggerState::missing;
    if (answers->error->kind == ErrorKind::forbidden) return TriggerState::hidden;
    return std::unexpected(*answers->error);
}

}  // namespace

bool OutboxTriggers::all(TriggerState state) const {
    return std::ranges::all_of(states, [&](TriggerState each) { return each == state; });
}

std::string OutboxTriggers::names(TriggerState state) const {
    std::vector<std::string> names;
    for (std::size_t at = 0; at < wanted.size(); ++at)
        if (states[at] == state) names.push_back(wanted[at].name);
    return fmt::format("{}", fmt::join(names, ", "));
}

Result<OutboxTriggers> look_at_outbox_triggers(Connection& connection, std::string_view database,
                                               const config::Source& source) {
    const auto visible = visible_triggers(connection, database, "");
    if (!visible) return std::unexpected(visible.error());
    OutboxTriggers triggers{.wanted = outbox_triggers(source), .states = {}, .others = {}};
    for (const Trigger& wanted : triggers.wanted) {
        const auto found = std::ranges::find(*visible, wanted.name, &FoundTrigger::name);
        if (found != visible->end()) {
            triggers.states.push_back(state_of(wanted, *found, source.outbox->table));
            continue;
        }
        const auto state = state_of_unseen(connection, database, wanted);
        if (!state) return std::unexpected(state.error());
        triggers.states.push_back(*state);
    }
    for (const FoundTrigger& found : *visible)
        if (mentions(found.body, source.outbox->table) &&
            std::ranges::find(triggers.wanted, found.name, &Trigger::name) == triggers.wanted.end())
            triggers.others.push_back({found.name, found.table});
    return triggers;
}

// Whoever has seen a trigger on its table may see it there. Where the privilege was revoked this is wrong;
// but a table that was renamed, to a name that no privilege is for, looks the same, and its changes would be
// lost.
Result<std::vector<std::string>> triggers_gone(Connection& connection, std::string_view database,
                                               const OutboxTriggers& before) {
    std::map<std::string, std::vector<FoundTrigger>> visible;  // by table
    std::vector<std::string> gone;
    for (std::size_t at = 0; at < before.wanted.size(); ++at) {
        const Trigger& wanted = before.wanted[at];
        if (before.states[at] == TriggerState::missing) continue;
        const auto [of_table, is_first] = visible.try_emplace(wanted.table);
        if (is_first) {
            auto found = visible_triggers(connection, database, wanted.table);
            if (!found) return std::unexpected(std::move(found.error()));
            of_table->second = std::move(*found);
        }
        if (std::ranges::find(of_table->second, wanted.name, &FoundTrigger::name) != of_table->second.end())
            continue;
        const auto unseen = state_of_unseen(connection, database, wanted);
        if (!unseen) return std::unexpected(unseen.error());
        const bool was_seen = before.states[at] != TriggerState::hidden;
        if (was_seen || *unseen == TriggerState::missing) gone.push_back(wanted.name);
    }
    return gone;
}

}  // namespace pawl::source
