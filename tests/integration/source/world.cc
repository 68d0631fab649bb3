#include "tests/integration/source/world.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>

#include "source/check.h"
#include "tests/integration/servers.h"

namespace pawl::test {
namespace {

constexpr auto event_timeout = std::chrono::minutes(1);

config::MariaDb server_of_this_run() {
    config::MariaDb settings;
    settings.socket = mariadb_server().socket;
    settings.user = "root";
    return settings;
}

template <class T>
T demand(Result<T> result) {
    if (!result) FAIL(to_line(result.error()));
    return std::move(*result);
}

void demand(const Result<void>& result) {
    if (!result) FAIL(to_line(result.error()));
}

std::string unique_name(std::string_view what) {
    static std::atomic<int> count = 0;
    return fmt::format("pawl_{}_{}_{}", what, ::getpid(), ++count);
}

}  // namespace

TestDatabase::TestDatabase() : TestDatabase(server_of_this_run()) {}

TestDatabase::TestDatabase(config::MariaDb server) : settings_(std::move(server)) {
    settings_.database.clear();
    connection_.emplace(demand(source::Connection::open(settings_, interrupt_)));
    settings_.database = unique_name("source");
    execute(fmt::format("CREATE DATABASE {} CHARACTER SET utf8mb4", name()));
    execute("USE " + name());
}

TestDatabase::~TestDatabase() {
    for (const auto& user : users_)
        (void)connection_->execute(fmt::format("DROP USER {}@'%'", user));
    (void)connection_->execute("DROP DATABASE " + name());
}

void TestDatabase::execute(std::string_view sql) {
    demand(connection_->execute(sql));
}

std::string TestDatabase::value(std::string_view sql) {
    const auto rows = demand(connection_->rows(sql));
    REQUIRE(rows.size() == 1);
    return rows[0].at(0).value_or("NULL");
}

void TestDatabase::make_history(std::string_view columns) {
    execute(fmt::format("CREATE TABLE history ({})", columns));
}

config::MariaDb TestDatabase::user_with(const std::vector<std::string>& grants, std::string_view password) {
    config::MariaDb settings = settings_;
    settings.user = unique_name("user");
    settings.password = config::Secret(std::string(password));
    execute(fmt::format("CREATE USER {}@'%' IDENTIFIED BY '{}'", settings.user, password));
    users_.push_back(settings.user);
    for (const auto& grant : grants)
        execute(fmt::format("GRANT {} TO {}@'%'", fmt::format(fmt::runtime(grant), name()), settings.user));
    return settings;
}

config::Pipeline TestDatabase::pipeline() {
    config::Pipeline pipeline;
    pipeline.name = "words";
    pipeline.source.table = "history";
    pipeline.source.revision = "history_id";
    pipeline.source.entity = "entity_id";
    pipeline.source.deleted = "discarded";
    pipeline.document.body = "body";
    return pipeline;
}

Writer::Writer(const config::MariaDb& settings) {
    connection_.emplace(demand(source::Connection::open(settings, interrupt_)));
}

void Writer::execute(std::string_view sql) {
    demand(connection_->execute(sql));
}

void CollectingInbox::post(engine::Event event) {
    {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(event));
    }
    posted_.notify_one();
}

engine::Event CollectingInbox::next() {
    std::unique_lock lock(mutex_);
    const bool came = posted_.wait_for(lock, event_timeout, [this] { return !events_.empty(); });
    REQUIRE(came);
    engine::Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

bool CollectingInbox::empty() {
    const std::lock_guard lock(mutex_);
    return events_.empty();
}

std::shared_ptr<const engine::Page> read_page(const config::MariaDb& settings,
                                              const config::Pipeline& pipeline,
                                              const engine::ReadRequest& request) {
    source::Interrupt interrupt;
    auto connection = demand(source::Connection::open(settings, interrupt));
    const auto table = demand(source::fit_table(connection, settings, pipeline));
    source::Reader reader(table, pipeline);
    return demand(reader.read(connection, request));
}

engine::ReadRequest everything(engine::Revision first) {
    engine::ReadRequest request;
    request.revisions = engine::IntervalSet({{first, journal::revision_max}});
    request.rows_max = 1'000'000;
    request.bytes_max = 1ULL << 40;
    return request;
}

std::vector<engine::Revision> revisions_of(const engine::Page& page) {
    std::vector<engine::Revision> revisions;
    for (const auto& row : page.rows())
        revisions.push_back(row.revision);
    return revisions;
}

}  // namespace pawl::test
