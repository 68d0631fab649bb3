#include "source/outbox_setup.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "source/limits.h"
#include "source/outbox_sql.h"
#include "source/outbox_tables.h"
#include "source/outbox_triggers.h"
#include "source/server_error.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

Result<void> refuse_foreign(const OutboxTriggers& triggers, const std::string& database) {
    if (const std::string names = triggers.names(TriggerState::foreign); !names.empty())
        return fail(ErrorKind::invalid,
                    fmt::format("there are triggers in {} of the names that pawl would give to its own: {}",
                                database, names),
                    "rename them (they are left as they are), or set another pipeline.source.outbox");
    if (const std::string names = triggers.names(TriggerState::hidden); !names.empty())
        return fail(ErrorKind::forbidden,
                    fmt::format("the user may not see the triggers {} in {}", names, database),
                    "GRANT TRIGGER on their tables to the user");
    return {};
}

std::vector<SetupStep> setup_steps(const std::string& database, const config::Source& source,
                                   const OutboxTables& tables, const OutboxTriggers& triggers) {
    const config::Outbox& outbox = *source.outbox;
    const bool triggers_done = triggers.all(TriggerState::right);
    const auto try_table = [&](const std::string& table, const config::EntityForm& key) {
        return SetupStep{fmt::format("privileges for the triggers on {}.{}", database, table),
                         try_definer(database, outbox, table, key), triggers_done};
    };
    std::vector<SetupStep> steps;
    steps.push_back({fmt::format("table {}.{}", database, outbox.table),
                     create_outbox(database, outbox, columns_of_key(*tables.table, outbox.entity)),
                     tables.outbox.has_value()});
    steps.push_back(try_table(source.table, outbox.entity));
    for (const config::JoinedTable& joined : outbox.joined)
        steps.push_back(try_table(joined.table, joined.entity));
    for (std::size_t at = 0; at < triggers.wanted.size(); ++at) {
        const Trigger& trigger = triggers.wanted[at];
        steps.push_back({fmt::format("trigger {} on {}.{}", trigger.name, database, trigger.table),
                         create_trigger(database, trigger), triggers.states[at] == TriggerState::right});
    }
    return steps;
}

// Whether there are any; none when the table is not there.
Result<bool> has_rows(Connection& connection, const std::string& table) {
    const auto rows = connection.rows(fmt::format("SELECT 1 FROM {} LIMIT 1", table));
    if (!rows) return std::unexpected(rows.error());
    return !rows->empty();
}

Result<void> refuse_removal(Connection& connection, const std::string& table, const OutboxTriggers& triggers,
                            bool with_rows) {
    if (!triggers.others.empty()) {
        const auto& [name, of] = triggers.others.front();
        return fail(
            ErrorKind::invalid,
            fmt::format("the trigger {} on {} writes to {}, too: without it, writers to {} would fail", name,
                        of, table, of),
            fmt::format("DROP TRIGGER {} first", identifier(name)));
    }
    if (with_rows) return {};
    const auto any = has_rows(connection, table);
    if (!any) return std::unexpected(any.error());
    if (*any)
        return fail(ErrorKind::decision,
                    fmt::format("{} still has rows: changes that the index has not been told", table),
                    "let pawl catch up first; --force drops them");
    return {};
}

std::string advice_on_step(unsigned number, std::string advice) {
    switch (number) {
        case server_error_lock_wait:
            return fmt::format(
                "a transaction that uses the table has been open for {} s; run it again when "
                "there is none",
                limits::trigger_lock_wait_s);
        case server_error_no_privilege:
        case server_error_no_column_privilege:
            return "GRANT CREATE, DROP, INSERT on the outbox and TRIGGER, SELECT on the tables to the user, "
                   "or "
                   "give what `pawl outbox-sql` prints to an administrator";
        default:
            return advice;
    }
}

}  // namespace

Result<std::vector<SetupStep>> outbox_setup(Connection& connection, const std::string& database,
                                            const config::Source& source) {
    Findings findings;
    const auto tables = look_at_outbox_tables(connection, database, source, findings);
    if (!tables) return std::unexpected(tables.error());
    if (auto fit = as_one_error(findings.all()); !fit) return std::unexpected(std::move(fit.error()));
    const auto triggers = look_at_outbox_triggers(connection, database, source);
    if (!triggers) return std::unexpected(triggers.error());
    if (auto fit = refuse_foreign(*triggers, database); !fit) return std::unexpected(std::move(fit.error()));
    return setup_steps(database, source, *tables, *triggers);
}

Result<std::vector<SetupStep>> outbox_removal(Connection& connection, const std::string& database,
                                              const config::Source& source, bool with_rows) {
    const auto triggers = look_at_outbox_triggers(connection, database, source);
    if (!triggers) return std::unexpected(triggers.error());
    if (auto fit = refuse_foreign(*triggers, database); !fit) return std::unexpected(std::move(fit.error()));
    const auto outbox = describe(connection, database, source.outbox->table);
    if (!outbox && outbox.error().kind != ErrorKind::invalid) return std::unexpected(outbox.error());
    if (outbox)
        if (auto fit = refuse_removal(connection, table_identifier(database, source.outbox->table), *triggers,
                                      with_rows);
            !fit)
            return std::unexpected(std::move(fit.error()));
    std::vector<SetupStep> steps;
    for (std::size_t at = 0; at < triggers->wanted.size(); ++at) {
        const Trigger& trigger = triggers->wanted[at];
        steps.push_back({fmt::format("trigger {} on {}.{}", trigger.name, database, trigger.table),
                         drop_trigger(database, trigger.name),
                         triggers->states[at] == TriggerState::missing});
    }
    steps.push_back({fmt::format("table {}.{}", database, source.outbox->table),
                     drop_outbox(database, *source.outbox), !outbox.has_value()});
    return steps;
}

Result<void> carry_out(Connection& connection, const SetupStep& step) {
    if (auto set = connection.execute(session_for_outbox()); !set) return set;
    const std::array<std::string, 1> statement{step.sql};
    auto answers = connection.together(statement);
    if (!answers) return std::unexpected(std::move(answers.error()));
    if (!answers->error) return {};
    answers->error->advice = advice_on_step(answers->number, std::move(answers->error->advice));
    return std::unexpected(std::move(*answers->error).within(step.what));
}

}  // namespace pawl::source
