#include "tests/integration/source/triggered_outbox.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <catch2/catch.hpp>

#include "config/values.h"
#include "source/outbox_sql.h"
#include "source/sql.h"

namespace pawl::test {
namespace {

config::EntityForm form_of(std::vector<std::string> columns) {
    std::vector<std::string> literals(columns.size() + 1, "/");
    literals.front().clear();
    literals.back().clear();
    return {std::move(columns), std::move(literals)};
}

}  // namespace

config::Pipeline outbox_pipeline(std::vector<std::string> columns, const std::string& table) {
    config::Pipeline pipeline;
    pipeline.name = "lex";
    pipeline.source.mode = journal::SourceMode::outbox;
    pipeline.source.table = table;
    pipeline.source.entity =
        columns.size() == 1 ? columns.front() : fmt::format("{{{}}}", fmt::join(columns, "}/{"));
    pipeline.source.outbox = config::Outbox{
        config::bounded_identifier("pawl_outbox_" + table), form_of(std::move(columns)), "", {}};
    return pipeline;
}

config::JoinedTable joined_table(const std::string& table, std::vector<std::string> columns) {
    return {table, form_of(std::move(columns))};
}

std::vector<std::string> set_up(TestDatabase& database, const config::Pipeline& pipeline) {
    std::vector<std::string> carried_out;
    const auto steps = source::outbox_setup(database.connection(), database.name(), pipeline.source);
    if (!steps) FAIL(to_line(steps.error()));
    for (const source::SetupStep& step : *steps) {
        if (step.is_done) continue;
        if (const auto done = source::carry_out(database.connection(), step); !done)
            FAIL(to_line(done.error()));
        carried_out.push_back(step.what);
    }
    return carried_out;
}

std::vector<std::string> take_outbox(TestDatabase& database, const config::Pipeline& pipeline) {
    const config::Outbox& outbox = *pipeline.source.outbox;
    std::vector<std::string> columns;
    for (const std::string& column : source::outbox_columns(outbox.entity))
        columns.push_back(source::identifier(column));
    const std::string table = source::table_identifier(database.name(), outbox.table);
    const auto rows = database.connection().rows(
        fmt::format("SELECT CONCAT_WS('/', {}) FROM {} ORDER BY id", fmt::join(columns, ", "), table));
    if (!rows) FAIL(to_line(rows.error()));
    std::vector<std::string> keys;
    for (const auto& row : *rows)
        keys.push_back(row[0].value_or("NULL"));
    database.execute("DELETE FROM " + table);
    return keys;
}

}  // namespace pawl::test
