#include "source/findings.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "source/shape.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

void check_body(const Table& table, const config::Document& document, Findings& findings) {
    if (document.body.empty()) return;
    const Column* const column = column_named(table, "pipeline.document.body", document.body, findings);
    if (column != nullptr && !can_be_body(*column))
        findings.refuse(fmt::format("table {}, column {}: {} cannot hold a document", table.full_name(),
                                    column->name, column->type),
                        "set pipeline.document.body to a JSON or text column, or leave it out: then every "
                        "column becomes a field");
}

void check_fields(const Table& table, const config::Document& document, Findings& findings) {
    std::set<std::string> keys;
    const auto once = [&](const std::string& field) {
        if (!keys.insert(field).second)
            findings.refuse(
                fmt::format("pipeline.document gives the document the key '{}' twice", field),
                "give one of them another name (without a body, every column is a field already)");
    };
    for (const auto& [field, name] : fields_of(table, document)) {
        once(field);
        const Column* const column =
            column_named(table, fmt::format("pipeline.document.fields.{}", field), name, findings);
        if (column != nullptr && column->kind == ColumnKind::unsupported)
            findings.refuse(fmt::format("table {}, column {}: pawl cannot turn {} into JSON",
                                        table.full_name(), column->name, column->type),
                            "name the columns to read in pipeline.document.fields and the document in "
                            "pipeline.document.body, without this one");
    }
    for (const auto& [field, json] : document.constants)
        once(field);
}

}  // namespace

Result<void> as_one_error(const std::vector<Finding>& findings) {
    std::vector<Error> errors;
    for (const Finding& finding : findings)
        if (finding.weight == Finding::Weight::error) errors.push_back(finding.error);
    if (errors.empty()) return {};
    Error all = std::move(errors.front());
    for (std::size_t i = 1; i < errors.size(); ++i)
        all.advice += fmt::format("{}also: {}", all.advice.empty() ? "" : "; ", to_line(errors[i]));
    return std::unexpected(std::move(all));
}

std::vector<Error> warnings_of(const std::vector<Finding>& findings) {
    std::vector<Error> warnings;
    for (const Finding& finding : findings)
        if (finding.weight == Finding::Weight::warning) warnings.push_back(finding.error);
    return warnings;
}

bool keeps_from_looking(const Error& error) {
    return error.kind == ErrorKind::unavailable;
}

const Column* column_named(const Table& table, std::string_view setting, std::string_view name,
                           Findings& findings) {
    const Column* const column = table.find(name);
    if (column != nullptr) return column;
    std::vector<std::string> names;
    names.reserve(table.columns.size());
    for (const Column& candidate : table.columns)
        names.push_back(candidate.name);
    auto near = near_names(name, names);
    if (near.empty()) near = names;
    findings.refuse(fmt::format("table {} has no column '{}'", table.full_name(), name),
                    fmt::format("set {} to one of its columns: {}", setting, fmt::join(near, ", ")));
    return nullptr;
}

void check_table_type(const Table& table, std::string_view setting, Findings& findings) {
    if (table.type != "BASE TABLE")
        findings.refuse(fmt::format("table {} is a {}, not a base table", table.full_name(), table.type),
                        fmt::format("set {} to the table that is written to", setting));
    else if (table.engine != "InnoDB")
        findings.refuse(
            fmt::format("table {} has the engine {}; pawl needs InnoDB's consistent snapshots",
                        table.full_name(), table.engine),
            fmt::format("ALTER TABLE {} ENGINE = InnoDB", table_identifier(table.database, table.name)));
}

void check_document(const Table& table, const config::Document& document, Findings& findings) {
    check_body(table, document, findings);
    check_fields(table, document, findings);
}

}  // namespace pawl::source
