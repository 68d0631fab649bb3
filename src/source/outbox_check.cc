#include "source/outbox_check.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "source/foreign_keys.h"
#include "source/outbox_clean_up.h"
#include "source/outbox_sql.h"
#include "source/outbox_tables.h"
#include "source/outbox_triggers.h"
#include "source/server_role.h"
#include "source/shape.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

Error no_trigger_writes(const std::string& outbox) {
    return {ErrorKind::invalid,
            fmt::format("no trigger of pawl's writes to {}, so that no change is seen", outbox),
            fmt::format("{}, then `pawl verify --repair` for what has changed meanwhile; or, where the "
                        "application writes to it itself, in the transaction of each change, set "
                        "pipeline.source.writes_outbox = \"application\"",
                        run_outbox_sql)};
}

class OutboxCheck {
  public:
    OutboxCheck(Connection& connection, const config::MariaDb& settings, const config::Pipeline& pipeline)
        : connection_(connection), settings_(settings), pipeline_(pipeline) {}

    Result<void> look();
    std::vector<Finding> take() && { return std::move(findings_).take(); }

  private:
    void check_text_columns();
    Result<void> check_documents();
    Result<void> check_outbox_privileges();
    Result<void> check_triggers();
    Result<void> check_foreign_keys();
    Result<void> check_rebuild();
    Result<void> check_server();

    // A statement that must be allowed: what it is refused for is a finding.
    Result<void> must_be_allowed(const std::string& sql, const std::string& advice);
    Result<void> check_deleting(const std::string& advice);
    void judge_missing(const OutboxTriggers& triggers);
    void judge_others(const OutboxTriggers& triggers);
    bool is_watched(const std::string& table) const;

    bool wants_triggers() const { return outbox().writer == config::OutboxWriter::triggers; }
    const config::Outbox& outbox() const { return *pipeline_.source.outbox; }
    std::string outbox_name() const { return fmt::format("{}.{}", settings_.database, outbox().table); }
    std::string outbox_identifier() const { return table_identifier(settings_.database, outbox().table); }

    Connection& connection_;
    const config::MariaDb& settings_;
    const config::Pipeline& pipeline_;
    ServerRole role_;
    OutboxTables tables_;
    Findings findings_;
};

std::string quoted_list(const std::vector<std::string>& names) {
    std::vector<std::string> quoted;
    quoted.reserve(names.size());
    for (const std::string& name : names)
        quoted.push_back(identifier(name));
    return fmt::format("{}", fmt::join(quoted, ", "));
}

Result<void> OutboxCheck::look() {
    auto tables = look_at_outbox_tables(connection_, settings_.database, pipeline_.source, findings_);
    if (!tables) return std::unexpected(std::move(tables.error()));
    tables_ = std::move(*tables);
    if (tables_.outbox_hidden)
        findings_.refuse(*tables_.outbox_hidden);
    else if (!tables_.outbox && as_one_error(findings_.all()))
        findings_.refuse(fmt::format("there is no outbox: table {} is missing", outbox_name()),
                         std::string(run_outbox_sql));
    check_text_columns();
    for (const auto part :
         {&OutboxCheck::check_server, &OutboxCheck::check_documents, &OutboxCheck::check_outbox_privileges,
          &OutboxCheck::check_triggers, &OutboxCheck::check_foreign_keys, &OutboxCheck::check_rebuild})
        if (auto done = (this->*part)(); !done) return done;
    return {};
}

// "{a}/{b}" makes one id of x/y, z and x, y/z.
void OutboxCheck::check_text_columns() {
    if (!tables_.table) return;
    const auto key = columns_of_key(*tables_.table, outbox().entity);
    if (std::ranges::count_if(key, &Column::is_character) > 1)
        findings_.warn(
            fmt::format("several columns of \"{}\" are text: two rows of {} have the same id where "
                        "what stands between the columns is in their values, too",
                        pipeline_.source.entity, tables_.table->full_name()),
            "put something between them that no value holds");
}

Result<void> OutboxCheck::must_be_allowed(const std::string& sql, const std::string& advice) {
    auto rows = connection_.rows(sql);
    if (rows) return {};
    if (keeps_from_looking(rows.error())) return std::unexpected(std::move(rows.error()));
    if (rows.error().kind == ErrorKind::forbidden) rows.error().advice = advice;
    findings_.refuse(std::move(rows.error()));
    return {};
}

// Of the view where there is one, else of the table.
Result<void> OutboxCheck::check_documents() {
    std::optional<Table> documents = tables_.table;
    if (!outbox().view.empty()) {
        auto view = describe(connection_, settings_.database, outbox().view);
        if (!view && keeps_from_looking(view.error())) return std::unexpected(std::move(view.error()));
        if (!view) {
            if (view.error().kind == ErrorKind::invalid)
                view.error().advice = "set pipeline.source.view to an existing view or table";
            findings_.refuse(std::move(view.error()));
            return {};
        }
        for (const std::string& column : outbox().entity.columns)
            (void)column_named(*view, "pipeline.source.entity", column, findings_);
        documents = std::move(*view);
    }
    if (!documents) return {};
    check_document(*documents, pipeline_.document, findings_);
    std::vector<std::string> columns;
    for (const Column& column : columns_of_key(*documents, outbox().entity))
        columns.push_back(column.name);
    if (documents->find(pipeline_.document.body) != nullptr) columns.push_back(pipeline_.document.body);
    for (const auto& [field, column] : fields_of(*documents, pipeline_.document))
        if (documents->find(column) != nullptr) columns.push_back(column);
    if (columns.empty()) return {};
    const std::string name = table_identifier(documents->database, documents->name);
    return must_be_allowed(fmt::format("SELECT {} FROM {} LIMIT 0", quoted_list(columns), name),
                           fmt::format("GRANT SELECT ON {} to the user that [mariadb] names", name));
}

// In a transaction like those of clean-ups, for which the server's binlog_format may be the wrong one.
Result<void> OutboxCheck::check_deleting(const std::string& advice) {
    for (const char* const statement :
         {"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"})
        if (auto done = connection_.execute(statement); !done) return done;
    auto done = must_be_allowed(
        fmt::format("EXPLAIN DELETE FROM {} WHERE {} = 0", outbox_identifier(), identifier(outbox_id)),
        advice);
    if (!done) return done;
    return connection_.execute("ROLLBACK");
}

// EXPLAIN asks for the privileges of the statement, and whether the server could log it, and does nothing.
Result<void> OutboxCheck::check_outbox_privileges() {
    if (!tables_.outbox) return {};
    const auto names = outbox_columns(outbox().entity);
    if (tables_.outbox->find(outbox_id) == nullptr ||
        !std::ranges::all_of(names, [&](const auto& name) { return tables_.outbox->find(name) != nullptr; }))
        return {};  // named already
    const std::string id = identifier(outbox_id);
    const std::string columns = quoted_list(names);
    const auto advice = [&](std::string_view privilege) {
        return fmt::format("GRANT {} ON {} to the user that [mariadb] names", privilege, outbox_identifier());
    };
    if (auto done = must_be_allowed(
            fmt::format("SELECT {}, {} FROM {} LIMIT 0", id, columns, outbox_identifier()), advice("SELECT"));
        !done)
        return done;
    if (role_.read_only && (role_.replica || role_.may_be_replica())) return {};  // nobody may write there
    if (auto done = check_deleting(advice("DELETE")); !done) return done;
    const std::vector<std::string> nothing(names.size(), "NULL");
    return must_be_allowed(fmt::format("EXPLAIN INSERT INTO {} ({}) VALUES ({})", outbox_identifier(),
                                       columns, fmt::join(nothing, ", ")),
                           advice("INSERT"));
}

void OutboxCheck::judge_missing(const OutboxTriggers& triggers) {
    const std::string missing = triggers.names(TriggerState::missing);
    if (missing.empty()) return;
    if (!triggers.all(TriggerState::missing))
        findings_.refuse(
            fmt::format("triggers of the outbox {} are missing, so that changes are not seen: {}",
                        outbox_name(), missing),
            std::string(run_outbox_sql));
    else if (wants_triggers() && triggers.others.empty())
        findings_.refuse(no_trigger_writes(outbox_name()));
}

bool OutboxCheck::is_watched(const std::string& table) const {
    const auto is_it = [&](const config::JoinedTable& joined) { return same_name(joined.table, table); };
    return same_name(table, pipeline_.source.table) || std::ranges::any_of(outbox().joined, is_it);
}

// An application's own triggers on the configured tables are its own affair.
void OutboxCheck::judge_others(const OutboxTriggers& triggers) {
    std::vector<std::string> strange;
    for (const TriggerOnTable& other : triggers.others)
        if (!is_watched(other.table)) strange.push_back(fmt::format("{} on {}", other.name, other.table));
    if (strange.empty()) return;
    std::string message = fmt::format("triggers of tables that the config does not name write to {}: {}",
                                      outbox_name(), fmt::join(strange, ", "));
    std::string advice =
        "name those tables in pipeline.source.joined, or DROP the triggers, or set another "
        "pipeline.source.outbox";
    if (wants_triggers() && triggers.all(TriggerState::missing))
        findings_.refuse(std::move(message), std::move(advice));
    else
        findings_.warn(std::move(message), std::move(advice));
}

Result<void> OutboxCheck::check_triggers() {
    if (!tables_.outbox || !tables_.table) return {};
    const auto triggers = look_at_outbox_triggers(connection_, settings_.database, pipeline_.source);
    if (!triggers) return std::unexpected(triggers.error());
    judge_missing(*triggers);
    judge_others(*triggers);
    if (const std::string names = triggers->names(TriggerState::outdated); !names.empty())
        findings_.refuse(fmt::format("triggers are not as the config wants them: {}", names),
                         std::string(run_outbox_sql));
    if (const std::string names = triggers->names(TriggerState::foreign); !names.empty())
        findings_.refuse(
            fmt::format("triggers of the names of pawl's own do not write to {}: {}", outbox_name(), names),
            "rename them, or set another pipeline.source.outbox");
    if (const std::string names = triggers->names(TriggerState::hidden); !names.empty())
        findings_.warn(fmt::format("the user {} may not see whether these triggers are as they should be: {}",
                                   settings_.user, names),
                       "GRANT TRIGGER on their tables to the user, or run `pawl check` as one who has it");
    return {};
}

Result<void> OutboxCheck::check_foreign_keys() {
    std::vector<std::string> names;
    if (tables_.table) names.push_back(tables_.table->name);
    for (const auto& joined : tables_.joined)
        if (joined && std::ranges::find(names, joined->name) == names.end()) names.push_back(joined->name);
    for (const std::string& name : names) {
        const auto cascades = cascades_of(connection_, settings_.database, name);
        if (!cascades && keeps_from_looking(cascades.error())) return std::unexpected(cascades.error());
        if (!cascades) continue;  // the missing privilege has been named
        for (const Cascade& cascade : *cascades)
            findings_.warn(fmt::format("table {}.{}, foreign key {}: {}: InnoDB runs no triggers for it, so "
                                       "that such changes are not seen",
                                       settings_.database, name, cascade.constraint, cascade.what),
                           "use RESTRICT and let the application change those rows, or write their keys to "
                           "the outbox in the same transaction");
    }
    return {};
}

// As long as its table is there, whatever is deleted from the outbox is copied into it.
Result<void> OutboxCheck::check_rebuild() {
    const std::string kept = kept_table_of(outbox().table);
    const auto there = is_there(connection_, settings_.database, kept);
    if (!there) return std::unexpected(there.error());
    if (*there)
        findings_.warn(fmt::format("table {}.{} is there: pawl rebuild is under way, or was left unfinished; "
                                   "until its end the table grows by all that is deleted from the outbox",
                                   settings_.database, kept),
                       "run pawl rebuild again to go on with it, or pawl rebuild --abort to give it up");
    return {};
}

Result<void> OutboxCheck::check_server() {
    const auto role = server_role(connection_);
    if (!role) return std::unexpected(role.error());
    role_ = *role;
    if (role_.replica)
        findings_.refuse(fmt::format("{} is a replica: what pawl deletes from the outbox there would stay in "
                                     "the primary's",
                                     connection_.place()),
                         "let [mariadb] name the primary server");
    if (role_.may_be_replica()) findings_.warn(may_be_replica(connection_.place(), settings_.user));
    return {};
}

}  // namespace

Result<std::vector<Finding>> check_outbox(Connection& connection, const config::MariaDb& settings,
                                          const config::Pipeline& pipeline) {
    OutboxCheck check(connection, settings, pipeline);
    if (auto looked = check.look(); !looked) return std::unexpected(std::move(looked.error()));
    return std::move(check).take();
}

}  // namespace pawl::source
