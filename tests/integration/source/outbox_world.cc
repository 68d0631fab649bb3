#include "tests/integration/source/outbox_world.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <catch2/catch.hpp>

#include "config/entity_form.h"
#include "source/outbox_layout.h"

namespace pawl::test {
namespace {

template <class T>
T demand(Result<T> result) {
    if (!result) FAIL(to_line(result.error()));
    return std::move(*result);
}

std::string name_of(const std::string& column) {
    return column.substr(0, column.find(' '));
}

std::string type_of(const std::string& column) {
    return column.substr(column.find(' ') + 1);
}

}  // namespace

OutboxWorld::OutboxWorld(const std::vector<std::string>& key_columns, std::string_view entity)
    : settings_(database_.settings()) {
    make_tables(key_columns, entity);
}

OutboxWorld::OutboxWorld(config::MariaDb server, const std::vector<std::string>& key_columns,
                         std::string_view entity)
    : database_(std::move(server)), settings_(database_.settings()) {
    make_tables(key_columns, entity);
}

void OutboxWorld::make_tables(const std::vector<std::string>& key_columns, std::string_view entity) {
    std::vector<std::string> names;
    std::vector<std::string> columns;
    std::vector<std::string> outbox_columns;
    std::vector<std::string> outbox_names;
    for (const std::string& column : key_columns) {
        const std::string name = name_of(column);
        const std::string outbox_name = key_columns.size() == 1 ? "entity" : "entity_" + name;
        names.push_back(name);
        columns.push_back(fmt::format("{} {} NOT NULL", name, type_of(column)));
        outbox_names.push_back(outbox_name);
        outbox_columns.push_back(fmt::format("{} {}", outbox_name, type_of(column)));
    }
    outbox_columns_ = fmt::format("{}", fmt::join(outbox_names, ", "));
    database_.execute(fmt::format("CREATE TABLE lex ({}, body LONGTEXT, PRIMARY KEY ({}))",
                                  fmt::join(columns, ", "), fmt::join(names, ", ")));
    database_.execute(
        fmt::format("CREATE TABLE changed (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, {})",
                    fmt::join(outbox_columns, ", ")));
    pipeline_.name = "words";
    pipeline_.source.mode = journal::SourceMode::outbox;
    pipeline_.source.table = "lex";
    pipeline_.source.entity = entity;
    pipeline_.source.outbox = config::Outbox{.table = "changed",
                                             .entity = demand(config::parse_entity_form(entity)),
                                             .view = {},
                                             .joined = {},
                                             .writer = config::OutboxWriter::application};
    pipeline_.document.body = "body";
}

void OutboxWorld::put(std::string_view keys, std::string_view body) {
    database_.execute("START TRANSACTION");
    database_.execute(fmt::format("REPLACE INTO lex VALUES ({}, '{}')", keys, body));
    change(keys);
    database_.execute("COMMIT");
}

void OutboxWorld::remove(std::string_view condition, std::string_view keys) {
    database_.execute("START TRANSACTION");
    database_.execute(fmt::format("DELETE FROM lex WHERE {}", condition));
    change(keys);
    database_.execute("COMMIT");
}

void OutboxWorld::change(std::string_view keys) {
    database_.execute(fmt::format("INSERT INTO changed ({}) VALUES ({})", outbox_columns_, keys));
}

source::Connection& OutboxWorld::connection() {
    if (!connection_ || !connection_->is_open()) {
        connection_.reset();
        connection_.emplace(demand(source::Connection::open(settings_, interrupt_)));
    }
    return *connection_;
}

void OutboxWorld::connect_as(config::MariaDb settings) {
    settings_ = std::move(settings);
    connection_.reset();
}

void OutboxWorld::look() {
    layout_.emplace(demand(source::describe_outbox(connection(), settings_, pipeline_)));
    reader_.emplace(*layout_, pipeline_);
    cleaner_.emplace(*layout_);
}

const source::OutboxLayout& OutboxWorld::layout() {
    if (!layout_) look();
    return *layout_;
}

source::OutboxReader& OutboxWorld::reader() {
    if (!reader_) look();
    return *reader_;
}

const source::OutboxCleanUp& OutboxWorld::cleaner() {
    if (!cleaner_) look();
    return *cleaner_;
}

std::shared_ptr<const engine::Page> OutboxWorld::read(const engine::ReadRequest& request) {
    return demand(reader().read(connection(), request));
}

std::shared_ptr<const engine::Page> OutboxWorld::read_all() {
    return read(all_changes());
}

std::vector<std::shared_ptr<const engine::Page>> OutboxWorld::fill(std::uint32_t rows_max,
                                                                   std::uint64_t bytes_max) {
    std::vector<std::shared_ptr<const engine::Page>> pages;
    engine::ReadRequest request;
    request.rows_max = rows_max;
    request.bytes_max = bytes_max;
    request.table_after = "";
    do {
        pages.push_back(read(request));
        REQUIRE((pages.back()->complete || !pages.back()->table_through.empty()));
        request.table_after = pages.back()->table_through;
    } while (!pages.back()->complete);
    return pages;
}

Result<engine::CleanedUp> OutboxWorld::try_clean_up(const engine::CleanUpRequest& request) {
    const auto& with = cleaner();
    auto cleaned = with.run(connection(), request);
    if (!cleaned) connection_.reset();
    return cleaned;
}

engine::CleanedUp OutboxWorld::clean_up(const engine::CleanUpRequest& request) {
    return demand(try_clean_up(request));
}

std::string OutboxWorld::ids() {
    return database_.value("SELECT GROUP_CONCAT(id ORDER BY id) FROM changed");
}

engine::ReadRequest all_changes(std::uint32_t rows_max, std::uint64_t bytes_max) {
    engine::ReadRequest request;
    request.revisions = engine::IntervalSet({{1, journal::revision_max}});
    request.rows_max = rows_max;
    request.bytes_max = bytes_max;
    return request;
}

std::vector<std::string> told(const engine::Page& page) {
    std::vector<std::string> rows;
    for (const engine::Row& row : page.rows())
        rows.push_back(fmt::format("{}@{} {}", row.entity, row.revision,
                                   row.action == engine::Action::remove  ? "gone"
                                   : row.action == engine::Action::index ? row.document
                                                                         : row.error));
    return rows;
}

}  // namespace pawl::test
