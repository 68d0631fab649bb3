// A database of its own on the test run's MariaDB, and what the tests of the source do with it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "engine/ports.h"
#include "source/connection.h"
#include "source/interrupt.h"
#include "source/reader.h"

namespace pawl::test {

// What a table for most tests is made of: history_id, entity_id, body, discarded, and keys as they should be.
inline constexpr std::string_view history_columns =
    "history_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, entity_id VARCHAR(600) NOT NULL, "
    "body LONGTEXT, discarded BOOL, KEY entity (entity_id)";

class TestDatabase {
  public:
    TestDatabase();
    explicit TestDatabase(config::MariaDb server);  // of another server; `database` is filled in
    ~TestDatabase();
    TestDatabase(const TestDatabase&) = delete;
    TestDatabase& operator=(const TestDatabase&) = delete;

    // As root, without a password. Fails the test on an error.
    void execute(std::string_view sql);
    std::string value(std::string_view sql);
    void make_history(std::string_view columns = history_columns);  // the table `history`

    // Another user of the same server, with just these grants ("SELECT ON {}.history", {} is the database).
    config::MariaDb user_with(const std::vector<std::string>& grants, std::string_view password = "secret");

    const config::MariaDb& settings() const { return settings_; }
    const std::string& name() const { return settings_.database; }
    source::Connection& connection() { return *connection_; }

    // Of the table `history` with its usual columns.
    static config::Pipeline pipeline();

  private:
    void open();

    config::MariaDb settings_;
    source::Interrupt interrupt_;
    std::optional<source::Connection> connection_;
    std::vector<std::string> users_;
};

// A connection of its own: a writer.
class Writer {
  public:
    explicit Writer(const config::MariaDb& settings);
    void execute(std::string_view sql);
    source::Connection& connection() { return *connection_; }

  private:
    source::Interrupt interrupt_;
    std::optional<source::Connection> connection_;
};

class CollectingInbox final : public engine::Inbox {
  public:
    void post(engine::Event event) override;
    // Fails the test when nothing comes for a minute.
    engine::Event next();
    bool empty();

  private:
    std::mutex mutex_;
    std::condition_variable posted_;
    std::deque<engine::Event> events_;
};

// Reads one page of the pipeline with a connection of its own. Fails the test on an error.
std::shared_ptr<const engine::Page> read_page(const config::MariaDb& settings,
                                              const config::Pipeline& pipeline,
                                              const engine::ReadRequest& request);

// All of the history, from `first` on.
engine::ReadRequest everything(engine::Revision first = 1);

std::vector<engine::Revision> revisions_of(const engine::Page& page);

}  // namespace pawl::test
