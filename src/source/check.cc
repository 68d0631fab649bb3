#include "source/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "source/server_error.h"
#include "source/server_role.h"
#include "source/shape.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

using Weight = Finding::Weight;

// Collects what is wrong with one pipeline's table.
class Check {
  public:
    Check(Connection& connection, const config::MariaDb& settings, const config::Pipeline& pipeline)
        : connection_(connection), settings_(settings), pipeline_(pipeline) {}

    Result<Checked> run();

  private:
    void add(Weight weight, ErrorKind kind, std::string message, std::string advice) {
        checked_.findings.push_back({weight, {kind, std::move(message), std::move(advice)}});
    }
    void refuse(std::string message, std::string advice) {
        add(Weight::error, ErrorKind::invalid, std::move(message), std::move(advice));
    }
    void warn(std::string message, std::string advice) {
        add(Weight::warning, ErrorKind::invalid, std::move(message), std::move(advice));
    }

    void check_table_type();
    const Column* column_named(std::string_view setting, const std::string& name);
    void check_revision();
    void check_entity();
    void check_deleted();
    void check_body();
    void check_fields();
    Result<void> check_select_privilege();
    Result<void> check_revisions();
    Result<void> check_lock_privilege();
    Result<void> check_server();

    const Table& table() const { return *checked_.table; }
    std::string place() const { return "table " + table().full_name(); }

    Connection& connection_;
    const config::MariaDb& settings_;
    const config::Pipeline& pipeline_;
    Checked checked_;
};

bool keeps_from_looking(const Error& error) {
    return error.kind == ErrorKind::unavailable;
}

Result<Checked> Check::run() {
    if (pipeline_.source.mode != journal::SourceMode::revision) {
        refuse("outbox mode is not in this version of pawl",
               "set pipeline.source.mode = \"revision\" and name the revision column");
        return checked_;
    }
    auto found = describe(connection_, settings_.database, pipeline_.source.table);
    if (!found && keeps_from_looking(found.error())) return std::unexpected(found.error());
    if (!found) {
        checked_.findings.push_back({Weight::error, found.error()});
        return checked_;
    }
    checked_.table = std::move(*found);
    check_table_type();
    check_revision();
    check_entity();
    check_deleted();
    check_body();
    check_fields();
    for (const auto part : {&Check::check_select_privilege, &Check::check_revisions,
                            &Check::check_lock_privilege, &Check::check_server})
        if (auto done = (this->*part)(); !done) return std::unexpected(std::move(done.error()));
    return checked_;
}

void Check::check_table_type() {
    if (table().type != "BASE TABLE") {
        refuse(fmt::format("{} is a {}, not a base table", place(), table().type),
               "set pipeline.source.table to the table that the history is written to");
        return;
    }
    if (table().engine != "InnoDB")
        refuse(
            fmt::format("{} has the engine {}; pawl needs InnoDB's consistent snapshots", place(),
                        table().engine),
            fmt::format("ALTER TABLE {} ENGINE = InnoDB", table_identifier(table().database, table().name)));
}

const Column* Check::column_named(std::string_view setting, const std::string& name) {
    const Column* const column = table().find(name);
    if (column != nullptr) return column;
    std::vector<std::string> names;
    for (const Column& candidate : table().columns)
        names.push_back(candidate.name);
    auto near = near_names(name, names);
    if (near.empty()) near = names;
    refuse(fmt::format("{} has no column '{}'", place(), name),
           fmt::format("set {} to one of its columns: {}", setting, fmt::join(near, ", ")));
    return nullptr;
}

void Check::check_revision() {
    const Column* const column = column_named("pipeline.source.revision", pipeline_.source.revision);
    if (column == nullptr) return;
    const std::string where = fmt::format("{}, column {}", place(), column->name);
    const std::string advice =
        "set pipeline.source.revision to the history's AUTO_INCREMENT primary key, an integer column";
    if (!can_be_revision(*column)) {
        refuse(fmt::format("{}: {} cannot be a revision", where, column->type), advice);
        return;
    }
    if (column->nullable) refuse(fmt::format("{}: a revision must be NOT NULL", where), advice);
    if (unique_key_of(table(), column->name) == nullptr)
        refuse(fmt::format(
                   "{}: a revision must be unique by itself; no PRIMARY or UNIQUE key has just this column",
                   where),
               advice);
}

void Check::check_entity() {
    const Column* const column = column_named("pipeline.source.entity", pipeline_.source.entity);
    if (column == nullptr) return;
    const std::string where = fmt::format("{}, column {}", place(), column->name);
    if (!can_be_entity(*column))
        refuse(fmt::format("{}: {} cannot be an entity's id", where, column->type),
               "set pipeline.source.entity to a column of a text type, an integer type or UUID");
    if (column->nullable)
        refuse(fmt::format("{}: an entity's id must be NOT NULL", where),
               "declare the column NOT NULL, or set pipeline.source.entity to another one");
    const Key* const key = entity_key_of(table(), column->name, pipeline_.source.revision);
    if (key == nullptr) {
        refuse(fmt::format(
                   "{}: no key begins with it, so that an entity's latest row would need a scan of the table",
                   where),
               fmt::format("CREATE INDEX {} ON {} ({})", identifier(column->name),
                           table_identifier(table().database, table().name), identifier(column->name)));
    } else if (key->parts[0].prefix_only) {
        warn(
            fmt::format(
                "{}: the key {} holds only the beginning of the values; repairs are slow where many entities "
                "begin alike",
                where, key->name),
            "create an index on the whole column");
    }
}

void Check::check_deleted() {
    if (pipeline_.source.deleted.empty()) return;
    const Column* const column = column_named("pipeline.source.deleted", pipeline_.source.deleted);
    if (column != nullptr && !can_be_deleted(*column))
        refuse(fmt::format("{}, column {}: {} cannot say whether a row deletes its entity", place(),
                           column->name, column->type),
               "set pipeline.source.deleted to a BOOLEAN, integer or BIT column, or leave it out");
}

void Check::check_body() {
    if (pipeline_.document.body.empty()) return;
    const Column* const column = column_named("pipeline.document.body", pipeline_.document.body);
    if (column != nullptr && !can_be_body(*column))
        refuse(fmt::format("{}, column {}: {} cannot hold a document", place(), column->name, column->type),
               "set pipeline.document.body to a JSON or text column, or leave it out: then every column "
               "becomes a field");
}

void Check::check_fields() {
    std::set<std::string> keys;
    const auto once = [&](const std::string& field) {
        if (!keys.insert(field).second)
            refuse(fmt::format("pipeline.document gives the document the key '{}' twice", field),
                   "give one of them another name (without a body, every column is a field already)");
    };
    for (const auto& [field, name] : fields_of(table(), pipeline_.document)) {
        once(field);
        const Column* const column = column_named(fmt::format("pipeline.document.fields.{}", field), name);
        if (column != nullptr && column->kind == ColumnKind::unsupported)
            refuse(fmt::format("{}, column {}: pawl cannot turn {} into JSON", place(), column->name,
                               column->type),
                   "name the columns to read in pipeline.document.fields and the document in "
                   "pipeline.document.body, "
                   "without this one");
    }
    for (const auto& [field, json] : pipeline_.document.constants)
        once(field);
}

// Privileges can be for columns: the statement that reads is the only full test.
Result<void> Check::check_select_privilege() {
    std::vector<std::string> columns;
    const auto select = [&](const std::string& name) {
        const Column* const column = table().find(name);
        if (column != nullptr) columns.push_back(identifier(column->name));
    };
    select(pipeline_.source.revision);
    select(pipeline_.source.entity);
    select(pipeline_.source.deleted);
    select(pipeline_.document.body);
    for (const auto& [field, column] : fields_of(table(), pipeline_.document))
        select(column);
    if (columns.empty()) return {};
    const auto rows = connection_.rows(fmt::format("SELECT {} FROM {} LIMIT 0", fmt::join(columns, ", "),
                                                   table_identifier(table().database, table().name)));
    if (rows) return {};
    if (keeps_from_looking(rows.error())) return std::unexpected(rows.error());
    checked_.findings.push_back({Weight::error, rows.error()});
    return {};
}

Result<void> Check::check_revisions() {
    const Column* const column = table().find(pipeline_.source.revision);
    if (column == nullptr || !can_be_revision(*column) || unique_key_of(table(), column->name) == nullptr)
        return {};
    const std::string name = identifier(column->name);
    const auto rows = connection_.rows(fmt::format("SELECT MIN({0}) < 1, MAX({0}) > {1} FROM {2}", name,
                                                   journal::revision_max,
                                                   table_identifier(table().database, table().name)));
    if (!rows && keeps_from_looking(rows.error())) return std::unexpected(rows.error());
    if (!rows) return {};  // named by check_select_privilege
    const std::string where = fmt::format("{}, column {}", place(), column->name);
    if (rows->front()[0] == "1")
        refuse(fmt::format("{}: there are revisions below 1, which would never be read", where),
               "give those rows revisions of 1 or more, or delete them");
    if (rows->front()[1] == "1")
        refuse(fmt::format("{}: there are revisions above {}, the highest version that the index takes",
                           where, journal::revision_max),
               "give those rows lower revisions");
    return {};
}

Result<void> Check::check_lock_privilege() {
    const std::string name = table_identifier(table().database, table().name);
    const std::array<std::string, 2> lock{fmt::format("LOCK TABLES {} READ NOWAIT", name), "UNLOCK TABLES"};
    const auto answers = connection_.together(lock);
    if (!answers) return std::unexpected(answers.error());
    // Locked, or a writer is at work: the privilege is there.
    if (!answers->error || answers->number == server_error_lock_wait) return {};
    if (keeps_from_looking(*answers->error)) return std::unexpected(*answers->error);
    warn(fmt::format(
             "{}: the user {} may not LOCK TABLES, so pawl cannot prove that a missing revision is dead and "
             "waits for it",
             place(), settings_.user),
         fmt::format("GRANT LOCK TABLES ON {}.* TO the user; pawl asks with NOWAIT, which delays nobody",
                     identifier(table().database)));
    return {};
}

Result<void> Check::check_server() {
    const auto role = server_role(connection_);
    if (!role) return std::unexpected(role.error());
    if (auto reason = why_writers_are_hidden(*role, connection_.place()))
        add(Weight::error, reason->kind, std::move(reason->message), std::move(reason->advice));
    if (role->may_be_replica())
        warn(fmt::format("{} is read-only and may be a replica; the user {} may not see its replica status",
                         connection_.place(), settings_.user),
             "GRANT SLAVE MONITOR to the user, or make sure that this is no replica");
    return {};
}

}  // namespace

Result<Checked> check_table(Connection& connection, const config::MariaDb& settings,
                            const config::Pipeline& pipeline) {
    return Check(connection, settings, pipeline).run();
}

std::vector<Finding> check(const config::MariaDb& settings, const config::Pipeline& pipeline,
                           Interrupt& interrupt) {
    auto connection = Connection::open(settings, interrupt);
    if (!connection) return {{Weight::error, connection.error()}};
    auto checked = check_table(*connection, settings, pipeline);
    if (!checked) return {{Weight::error, checked.error()}};
    return std::move(checked->findings);
}

Result<Table> fit_table(Connection& connection, const config::MariaDb& settings,
                        const config::Pipeline& pipeline) {
    auto checked = check_table(connection, settings, pipeline);
    if (!checked) return std::unexpected(std::move(checked.error()));
    std::vector<Error> errors;
    for (Finding& finding : checked->findings)
        if (finding.weight == Weight::error) errors.push_back(std::move(finding.error));
    if (errors.empty()) return std::move(*checked->table);
    Error all = std::move(errors.front());
    for (std::size_t i = 1; i < errors.size(); ++i)
        all.advice += fmt::format("{}also: {}", all.advice.empty() ? "" : "; ", to_line(errors[i]));
    return std::unexpected(std::move(all));
}

}  // namespace pawl::source
