#include "source/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "source/outbox_check.h"
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
    void refuse(std::string message, std::string advice) {
        findings_.refuse(std::move(message), std::move(advice));
    }
    void warn(std::string message, std::string advice) {
        findings_.warn(std::move(message), std::move(advice));
    }

    Result<void> look();
    void check_revision();
    void check_entity();
    void check_deleted();
    Result<void> check_select_privilege();
    Result<void> check_revisions();
    Result<void> check_lock_privilege();
    Result<void> check_server();

    const Table& table() const { return *table_; }
    std::string place() const { return "table " + table().full_name(); }

    Connection& connection_;
    const config::MariaDb& settings_;
    const config::Pipeline& pipeline_;
    std::optional<Table> table_;
    Findings findings_;
};

Result<Checked> Check::run() {
    if (auto looked = look(); !looked) return std::unexpected(std::move(looked.error()));
    return Checked{std::move(table_), std::move(findings_).take()};
}

Result<void> Check::look() {
    auto found = describe(connection_, settings_.database, pipeline_.source.table);
    if (!found && keeps_from_looking(found.error())) return std::unexpected(found.error());
    if (!found) {
        findings_.refuse(std::move(found.error()));
        return {};
    }
    table_ = std::move(*found);
    check_table_type(table(), "pipeline.source.table", findings_);
    check_revision();
    check_entity();
    check_deleted();
    check_document(table(), pipeline_.document, findings_);
    for (const auto part : {&Check::check_select_privilege, &Check::check_revisions,
                            &Check::check_lock_privilege, &Check::check_server})
        if (auto done = (this->*part)(); !done) return std::unexpected(std::move(done.error()));
    return {};
}

void Check::check_revision() {
    const Column* const column =
        column_named(table(), "pipeline.source.revision", pipeline_.source.revision, findings_);
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
    const Column* const column =
        column_named(table(), "pipeline.source.entity", pipeline_.source.entity, findings_);
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
    const Column* const column =
        column_named(table(), "pipeline.source.deleted", pipeline_.source.deleted, findings_);
    if (column != nullptr && !can_be_deleted(*column))
        refuse(fmt::format("{}, column {}: {} cannot say whether a row deletes its entity", place(),
                           column->name, column->type),
               "set pipeline.source.deleted to a BOOLEAN, integer or BIT column, or leave it out");
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
    findings_.refuse(rows.error());
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
        findings_.refuse(std::move(*reason));
    if (role->may_be_replica()) findings_.warn(may_be_replica(connection_.place(), settings_.user));
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
    if (pipeline.source.mode == journal::SourceMode::outbox) {
        auto findings = check_outbox(*connection, settings, pipeline);
        if (!findings) return {{Weight::error, findings.error()}};
        return std::move(*findings);
    }
    auto checked = check_table(*connection, settings, pipeline);
    if (!checked) return {{Weight::error, checked.error()}};
    return std::move(checked->findings);
}

Result<Table> fit_table(Connection& connection, const config::MariaDb& settings,
                        const config::Pipeline& pipeline) {
    auto checked = check_table(connection, settings, pipeline);
    if (!checked) return std::unexpected(std::move(checked.error()));
    if (auto fit = as_one_error(checked->findings); !fit) return std::unexpected(std::move(fit.error()));
    return std::move(*checked->table);
}

}  // namespace pawl::source
