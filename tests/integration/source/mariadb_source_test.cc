// The port's own life: connecting, losing the connection, coming to an end.
#include "source/mariadb_source.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>

#include "tests/integration/source/outbox_world.h"
#include "tests/integration/source/private_server.h"
#include "tests/integration/source/triggered_outbox.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;

namespace {

std::shared_ptr<const engine::Page> page_in(const engine::Event& event) {
    if (const auto* failed = std::get_if<engine::ReadFailed>(&event)) FAIL(to_line(failed->error));
    return std::get<engine::PageRead>(event).page;
}

Error error_in(const engine::Event& event) {
    if (const auto* failed = std::get_if<engine::ReadFailed>(&event)) return failed->error;
    if (const auto* failed = std::get_if<engine::ProofFailed>(&event)) return failed->error;
    return std::get<engine::SourceFailed>(event).error;
}

engine::Proof proof_in(const engine::Event& event) {
    if (const auto* failed = std::get_if<engine::ProofFailed>(&event)) FAIL(to_line(failed->error));
    return std::get<engine::ProofAnswered>(event).proof;
}

// Takes one connection and never says a word.
class SilentServer {
  public:
    explicit SilentServer(const std::string& path)
        : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof address.sun_path);
        path.copy(address.sun_path, path.size());
        REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(socket_, 1) == 0);
    }
    ~SilentServer() {
        ::close(client_);
        ::close(socket_);
    }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;

    void wait_for_client() {
        client_ = ::accept(socket_, nullptr, nullptr);
        REQUIRE(client_ >= 0);
    }

  private:
    int socket_ = -1;
    int client_ = -1;
};

}  // namespace

TEST_CASE("a source that does not fit says so at prepare, with the pipeline's name") {
    TestDatabase database;
    CollectingInbox inbox;
    source::MariaDbSource source(database.settings(), TestDatabase::pipeline(), inbox);
    source.prepare();
    const Error error = error_in(inbox.next());
    CHECK(error.kind == ErrorKind::invalid);
    CHECK(error.message.starts_with("pipeline words: there is no table "));
    // Once the table is there, the same port is fit.
    database.make_history();
    source.prepare();
    CHECK(std::holds_alternative<engine::SourceReady>(inbox.next()));
}

TEST_CASE("all that is wrong is in one error") {
    TestDatabase database;
    database.make_history("history_id INT PRIMARY KEY, entity_id VARCHAR(99) NOT NULL");
    CollectingInbox inbox;
    source::MariaDbSource source(database.settings(), TestDatabase::pipeline(), inbox);
    source.prepare();
    const std::string line = to_line(error_in(inbox.next()));
    CHECK_THAT(line, Catch::Contains("no key begins with it") && Catch::Contains("'discarded'") &&
                         Catch::Contains("'body'"));
}

TEST_CASE("a connection that was killed is opened again by the next read") {
    TestDatabase database;
    database.make_history();
    CollectingInbox inbox;
    source::MariaDbSource source(database.settings(), TestDatabase::pipeline(), inbox);
    source.prepare();
    REQUIRE(std::holds_alternative<engine::SourceReady>(inbox.next()));
    const std::string id = database.value(
        fmt::format("SELECT id FROM information_schema.PROCESSLIST WHERE DB = '{}' AND id <> CONNECTION_ID()",
                    database.name()));
    database.execute("KILL CONNECTION " + id);
    source.read(everything());
    CHECK(error_in(inbox.next()).kind == ErrorKind::unavailable);
    source.read(everything());
    CHECK(page_in(inbox.next())->complete);
}

TEST_CASE("a server that dies and comes back is read again, and nothing is lost") {
    PrivateServer server;
    CollectingInbox inbox;
    TestDatabase database(server.settings());
    database.make_history();
    database.execute("INSERT INTO history (entity_id, body) VALUES ('a', '{}')");
    source::MariaDbSource source(database.settings(), TestDatabase::pipeline(), inbox);
    source.prepare();
    REQUIRE(std::holds_alternative<engine::SourceReady>(inbox.next()));
    server.kill();
    for (int i = 0; i < 2; ++i) {
        source.read(everything());
        const Error error = error_in(inbox.next());
        CHECK(error.kind == ErrorKind::unavailable);
        CHECK(error.message.starts_with("pipeline words: "));
    }
    server.start();
    source.read(everything());
    CHECK(page_in(inbox.next())->rows().size() == 1);
}

TEST_CASE("a table that went away after the start is an error, and its return is noticed") {
    TestDatabase database;
    database.make_history();
    CollectingInbox inbox;
    source::MariaDbSource source(database.settings(), TestDatabase::pipeline(), inbox);
    source.prepare();
    inbox.next();
    database.execute("RENAME TABLE history TO elsewhere");
    source.read(everything());
    CHECK(error_in(inbox.next()).kind == ErrorKind::invalid);
    database.execute("RENAME TABLE elsewhere TO history");
    source.read(everything());
    CHECK(page_in(inbox.next())->complete);
}

TEST_CASE("destroying a source ends a read that is blocked, and posts nothing more") {
    TestDatabase database;
    database.make_history();
    CollectingInbox inbox;
    auto source =
        std::make_unique<source::MariaDbSource>(database.settings(), TestDatabase::pipeline(), inbox);
    source->prepare();
    inbox.next();
    database.execute("LOCK TABLES history WRITE");
    source->read(everything());
    source->read(everything());
    const auto begin = std::chrono::steady_clock::now();
    source.reset();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK(inbox.empty());
    database.execute("UNLOCK TABLES");
}

TEST_CASE("destroying a source ends a proof that is blocked") {
    PrivateServer server;
    TestDatabase database(server.settings());
    database.make_history();
    config::MariaDb settings = database.settings();
    const auto address = server.folder() / "address";
    settings.socket = address.string();
    std::filesystem::create_symlink(server.folder() / "s", address);
    CollectingInbox inbox;
    auto source = std::make_unique<source::MariaDbSource>(settings, TestDatabase::pipeline(), inbox);
    source->prepare();
    REQUIRE(std::holds_alternative<engine::SourceReady>(inbox.next()));
    std::filesystem::remove(address);
    SilentServer silent(address.string());
    source->prove();
    silent.wait_for_client();
    const auto begin = std::chrono::steady_clock::now();
    source.reset();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK(inbox.empty());
}

TEST_CASE("destroying a source ends an attempt to connect") {
    config::MariaDb settings;
    settings.host = "192.0.2.1";  // a network that leads nowhere
    settings.database = "x";
    settings.connect_timeout_ms = 60'000;
    CollectingInbox inbox;
    auto source = std::make_unique<source::MariaDbSource>(settings, TestDatabase::pipeline(), inbox);
    source->prepare();
    const auto begin = std::chrono::steady_clock::now();
    source.reset();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("a proof needs no prepare, and its troubles are not the reads'") {
    TestDatabase database;
    database.make_history();
    CollectingInbox inbox;
    source::MariaDbSource source(database.settings(), TestDatabase::pipeline(), inbox);
    source.prove();
    CHECK(proof_in(inbox.next()).outcome == engine::Proof::Outcome::proven);
    database.execute("RENAME TABLE history TO elsewhere");
    source.prove();
    const Error error = error_in(inbox.next());
    CHECK(error.kind == ErrorKind::invalid);
    CHECK(error.message.starts_with("pipeline words: "));
    database.execute("RENAME TABLE elsewhere TO history");
    source.read(everything());
    CHECK(page_in(inbox.next())->complete);
    source.prove();
    CHECK(proof_in(inbox.next()).outcome == engine::Proof::Outcome::proven);
}

TEST_CASE("nothing is proven while reads and proofs reach two servers, and a change of server is told once") {
    PrivateServer first;
    PrivateServer second;
    TestDatabase database(first.settings());
    database.make_history();
    Writer other(second.settings());
    other.execute("CREATE DATABASE " + database.name());
    other.execute(fmt::format("CREATE TABLE {}.history ({})", database.name(), history_columns));

    config::MariaDb settings = database.settings();
    const auto address =
        first.folder() / "address";  // leads to one server, later to another, as a proxy's does
    settings.socket = address.string();
    std::filesystem::create_symlink(first.folder() / "s", address);
    CollectingInbox inbox;
    source::MariaDbSource source(settings, TestDatabase::pipeline(), inbox);
    source.prepare();
    REQUIRE(std::holds_alternative<engine::SourceReady>(inbox.next()));
    std::filesystem::remove(address);
    std::filesystem::create_symlink(second.folder() / "s", address);

    source.prove();
    Error error = error_in(inbox.next());
    CHECK(error.kind == ErrorKind::unavailable);
    CHECK_THAT(error.message, Catch::Contains("lead to two servers"));
    source.read(everything());
    error = error_in(inbox.next());
    CHECK(error.kind == ErrorKind::unavailable);
    CHECK_THAT(error.message, Catch::Contains("another server now"));
    source.read(everything());
    CHECK(page_in(inbox.next())->complete);
    source.prove();
    CHECK(proof_in(inbox.next()).outcome == engine::Proof::Outcome::proven);
}

TEST_CASE("in outbox mode the port reads, cleans up and says what was handed out") {
    OutboxWorld world;
    world.database().execute("ALTER TABLE changed MODIFY entity VARCHAR(600) NOT NULL");
    CollectingInbox inbox;
    source::MariaDbSource source(world.database().settings(), world.pipeline(), inbox);
    source.prepare();
    auto event = inbox.next();
    if (const auto* failed = std::get_if<engine::SourceFailed>(&event)) FAIL(to_line(failed->error));
    CHECK(std::get<engine::SourceReady>(event).facts.history_end == 0);
    world.put("'a'", R"({"n":1})");
    world.put("'b'");
    source.read(all_changes());
    const auto page = page_in(inbox.next());
    CHECK(told(*page) == std::vector<std::string>{R"(a@1 {"n":1})", "b@2 {}"});
    CHECK(page->shape == std::get<engine::SourceReady>(event).facts.shape);
    engine::CleanUpRequest cleaning{.id = 5, .done = page->seen};
    source.clean_up(cleaning);
    CHECK(std::get<engine::CleanedUp>(inbox.next()).id == 5);
    CHECK(world.database().value("SELECT COUNT(*) FROM changed") == "0");
    source.look_up({.id = 6, .anchors = {}, .versions = {{"a", 2}, {"a", 3}}});
    const auto answer = std::get<engine::LookedUp>(inbox.next()).answer;
    CHECK(answer.history_end == 2);
    CHECK(answer.versions == std::vector<bool>{true, false});
    // A clean-up that fails closes the connection; the next request opens another one.
    world.database().execute("RENAME TABLE changed TO elsewhere");
    source.clean_up(cleaning);
    CHECK(std::get<engine::CleanUpFailed>(inbox.next()).error.kind == ErrorKind::invalid);
    world.database().execute("RENAME TABLE elsewhere TO changed");
    source.clean_up(cleaning);
    CHECK(std::holds_alternative<engine::CleanedUp>(inbox.next()));
}

namespace {

// A pipeline with triggers that has begun.
class BegunOutbox {
  public:
    explicit BegunOutbox(const std::vector<std::string>& grants = {}) {
        database.execute("CREATE TABLE lex (id INT PRIMARY KEY, word VARCHAR(20))");
        set_up(database, pipeline);
        const auto settings = grants.empty() ? database.settings() : database.user_with(grants);
        source_.emplace(settings, pipeline, inbox_);
        source_->prepare();
        const auto event = inbox_.next();
        if (const auto* failed = std::get_if<engine::SourceFailed>(&event)) FAIL(to_line(failed->error));
        warnings = std::get<engine::SourceReady>(event).facts.warnings;
        CHECK(look() == "");
    }
    // What a look at the history says: nothing, or an error.
    std::string look() {
        source_->look_up({.id = 1, .anchors = {}, .versions = {}});
        const auto event = inbox_.next();
        const auto* const failed = std::get_if<engine::LookUpFailed>(&event);
        if (failed == nullptr) return "";
        CHECK(failed->error.kind == ErrorKind::invalid);
        return to_line(failed->error);
    }

    TestDatabase database;
    config::Pipeline pipeline = outbox_pipeline();
    std::vector<Error> warnings;

  private:
    CollectingInbox inbox_;
    std::optional<source::MariaDbSource> source_;
};

const std::vector<std::string> sees_no_triggers{"SELECT ON {}.lex",
                                                "SELECT, INSERT, DELETE ON {}.pawl_outbox_lex"};

}  // namespace

TEST_CASE("triggers that go with their table are missed while the pipeline runs") {
    BegunOutbox begun;
    CHECK(begun.warnings.empty());
    begun.database.execute("CREATE OR REPLACE TABLE lex (id INT PRIMARY KEY, word VARCHAR(20))");
    CHECK_THAT(begun.look(), Catch::Contains("gone since the pipeline began") &&
                                 Catch::Contains("pawl_lex_insert, pawl_lex_update, pawl_lex_delete") &&
                                 Catch::Contains("pawl outbox-sql --apply"));
}

TEST_CASE("triggers that an online schema change leaves with the old table are missed") {
    BegunOutbox begun({"SELECT, TRIGGER ON {}.lex", "SELECT, INSERT, DELETE ON {}.pawl_outbox_lex"});
    begun.database.execute("CREATE TABLE _lex_new LIKE lex");
    begun.database.execute("RENAME TABLE lex TO _lex_old, _lex_new TO lex");
    CHECK_THAT(begun.look(), Catch::Contains("gone since the pipeline began"));
}

TEST_CASE("who may not see triggers is warned, and hears of those that are dropped") {
    BegunOutbox begun(sees_no_triggers);
    REQUIRE(begun.warnings.size() == 1);
    CHECK_THAT(begun.warnings.front().message, Catch::Contains("may not see"));
    begun.database.execute("DROP TRIGGER pawl_lex_update");
    CHECK_THAT(begun.look(), Catch::Contains(": pawl_lex_update"));
}
