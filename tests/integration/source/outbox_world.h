// A table with an outbox on the test run's MariaDB. The tests write to both themselves, without triggers, so
// that they decide what is committed when.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.h"
#include "source/outbox_clean_up.h"
#include "source/outbox_reader.h"
#include "tests/integration/source/world.h"

namespace pawl::test {

class OutboxWorld {
  public:
    // The table `lex` with columns `key_columns` ("id VARCHAR(600)", …), which are its primary key, and
    // `body`; the outbox `changed` with the same types. `entity` as in the config.
    explicit OutboxWorld(const std::vector<std::string>& key_columns = {"id VARCHAR(600)"},
                         std::string_view entity = "id");
    // The same on another server.
    OutboxWorld(config::MariaDb server, const std::vector<std::string>& key_columns, std::string_view entity);

    // Inserts or replaces a row and names it in the outbox; `keys` are SQL literals ("'a', 1"). One
    // transaction on the given connection, or whatever is open there.
    void put(std::string_view keys, std::string_view body = "{}");
    void remove(std::string_view condition, std::string_view keys);
    void change(std::string_view keys);  // the outbox alone

    std::shared_ptr<const engine::Page> read(const engine::ReadRequest& request);
    std::shared_ptr<const engine::Page> read_all();
    // Pages of the table from the beginning to the end.
    std::vector<std::shared_ptr<const engine::Page>> fill(std::uint32_t rows_max,
                                                          std::uint64_t bytes_max = 1ULL << 40);
    engine::CleanedUp clean_up(const engine::CleanUpRequest& request);
    Result<engine::CleanedUp> try_clean_up(const engine::CleanUpRequest& request);

    // Looks at the tables and makes reader and clean-up anew.
    void look();
    // The ids in the outbox, "1,2,5".
    std::string ids();

    TestDatabase& database() { return database_; }
    config::Pipeline& pipeline() { return pipeline_; }
    source::Connection& connection();
    const source::OutboxLayout& layout();
    source::OutboxReader& reader();
    const source::OutboxCleanUp& cleaner();
    const config::MariaDb& settings() const { return settings_; }
    // Another account for what is asked from now on.
    void connect_as(config::MariaDb settings);

  private:
    void make_tables(const std::vector<std::string>& key_columns, std::string_view entity);

    TestDatabase database_;
    config::MariaDb settings_;
    config::Pipeline pipeline_;
    std::string outbox_columns_;
    source::Interrupt interrupt_;
    std::optional<source::Connection> connection_;
    std::optional<source::OutboxLayout> layout_;
    std::optional<source::OutboxReader> reader_;
    std::optional<source::OutboxCleanUp> cleaner_;
};

engine::ReadRequest all_changes(std::uint32_t rows_max = 1'000'000, std::uint64_t bytes_max = 1ULL << 40);

// "a@3 {…}", "b@4 gone", "@5 entity_null": the rows of a page, in its order.
std::vector<std::string> told(const engine::Page& page);

}  // namespace pawl::test
