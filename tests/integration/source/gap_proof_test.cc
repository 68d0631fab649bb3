// A proof is given only when nobody can commit a revision at or below it any more, and no writer waits for
// it.
#include "source/gap_proof.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <new>
#include <optional>
#include <random>
#include <thread>

#include "tests/integration/source/private_server.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;
using engine::Proof;
using source::GapProof;
using Outcome = engine::Proof::Outcome;

namespace {

constexpr auto deadline = std::chrono::seconds(30);
constexpr auto at_once = std::chrono::seconds(5);  // what must not wait has a slow machine's time

// A history of its own, and a proof about it.
class ProofWorld {
  public:
    ProofWorld() : ProofWorld(config::MariaDb{}) {}
    explicit ProofWorld(const config::MariaDb& server, std::string_view columns = history_columns) {
        if (server.socket.empty())
            database.emplace();
        else
            database.emplace(server);
        database->make_history(columns);
        proof.emplace(database->settings(), TestDatabase::pipeline(), interrupt);
    }

    Result<Proof> look() { return proof->try_prove(); }
    Proof answer() {
        auto answered = look();
        if (!answered) FAIL(to_line(answered.error()));
        return *answered;
    }
    Outcome outcome() { return answer().outcome; }
    Error error() {
        const auto answered = look();
        REQUIRE_FALSE(answered.has_value());
        return answered.error();
    }
    engine::Revision proven() {
        const Proof answered = answer();
        INFO(answered.reason);
        REQUIRE(answered.outcome == Outcome::proven);
        return answered.through;
    }
    Writer writer() { return Writer(database->settings()); }

    source::Interrupt interrupt;
    std::optional<TestDatabase> database;
    std::optional<GapProof> proof;
};

constexpr int stops = 300;
constexpr int look_us_max = 4'000;  // stops fall anywhere within a look
constexpr int mixed_writers = 3;
constexpr int mixed_transactions = 2'000;
constexpr std::size_t mixed_proofs_min = 20;

constexpr std::string_view insert = "INSERT INTO history (entity_id, body) VALUES ('a', '{}')";

// Until `condition` holds. What another session does is seen only by asking.
void wait_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!condition()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::yield();
    }
}

// Whether a statement that begins so is being run by somebody else.
bool running(TestDatabase& database, std::string_view beginning) {
    return database.value(fmt::format("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE "
                                      "'{}%' AND ID <> CONNECTION_ID()",
                                      beginning)) != "0";
}

// Runs a statement in a thread of its own, and waits for its end, whatever it was, at its own end.
class Background {
  public:
    Background(const config::MariaDb& settings, std::string sql) : writer_(settings) {
        id_ = writer_.connection().rows("SELECT CONNECTION_ID()")->at(0).at(0).value();
        thread_ = std::thread([this, sql = std::move(sql)] {
            ok_ = writer_.connection().execute(sql).has_value();
            ended_ = true;
        });
    }
    ~Background() { join(); }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    const std::string& id() const { return id_; }
    bool ended() const { return ended_; }
    bool join() {
        if (thread_.joinable()) thread_.join();
        return ok_;
    }

  private:
    Writer writer_;
    std::string id_;
    std::atomic<bool> ended_ = false;
    std::atomic<bool> ok_ = false;
    std::thread thread_;
};

// Transactions of one or two rows, often rolled back, with pauses in which nobody writes. Some are prepared
// XA transactions whose client goes away before another one ends them.
void mix_transactions(const config::MariaDb& settings, unsigned seed) {
    std::optional<Writer> writer(std::in_place, settings);
    std::minstd_rand random(seed);
    const auto idle = [&] {
        for (auto wait = random() % 500'000; wait > 0; --wait)
            std::atomic_signal_fence(std::memory_order_seq_cst);
    };
    for (int i = 0; i < mixed_transactions; ++i) {
        const bool xa = random() % 4 == 0;
        const std::string name = xa ? fmt::format("'pawl-{}-{}'", seed, i) : "";
        const auto run = [&](std::string_view sql) { (void)writer->connection().execute(sql); };
        run(xa ? "XA START " + name : "START TRANSACTION");
        run(insert);
        if (random() % 2 == 0) run(insert);
        if (xa) {
            run("XA END " + name);
            run("XA PREPARE " + name);
            writer.emplace(settings);
            // Until the server has noticed that the client is gone, nobody else may end it.
            const std::string end = (random() % 3 == 0 ? "XA ROLLBACK " : "XA COMMIT ") + name;
            wait_until([&] { return writer->connection().execute(end).has_value(); });
        } else {
            run(random() % 3 == 0 ? "ROLLBACK" : "COMMIT");
        }
        idle();
    }
}

// A process that does nothing but look.
class Looker {
  public:
    explicit Looker(const config::MariaDb& settings) {
        void* const shared = ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        REQUIRE(shared != MAP_FAILED);
        proven_ = new (shared) std::atomic<std::uint64_t>(0);
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) look(settings);
    }
    ~Looker() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        ::munmap(proven_, sizeof *proven_);
    }
    Looker(const Looker&) = delete;
    Looker& operator=(const Looker&) = delete;

    std::uint64_t proven() const { return *proven_; }
    void stop() const {
        ::kill(pid_, SIGSTOP);
        int status = 0;
        REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
        REQUIRE(WIFSTOPPED(status));
    }
    void go_on() const { ::kill(pid_, SIGCONT); }

  private:
    [[noreturn]] void look(const config::MariaDb& settings) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        source::Interrupt interrupt;
        GapProof proof(settings, TestDatabase::pipeline(), interrupt);
        for (;;) {
            const auto answered = proof.try_prove();
            if (!answered) ::_exit(1);
            if (answered->outcome == Outcome::proven) ++*proven_;
        }
    }

    std::atomic<std::uint64_t>* proven_ = nullptr;
    pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("an empty history is proven through 0, an idle one through its highest committed revision") {
    ProofWorld world;
    CHECK(world.proven() == 0);
    world.writer().execute(insert);
    CHECK(world.proven() == 1);
    world.database->execute("INSERT INTO history (history_id, entity_id) VALUES (9223372036854775807, 'b')");
    CHECK(world.proven() == 9223372036854775807U);
}

TEST_CASE("an open writer keeps the proof from being given, whether it commits or rolls back") {
    ProofWorld world;
    Writer late = world.writer();
    late.execute("START TRANSACTION");
    late.execute(insert);
    world.writer().execute(insert);
    const Proof busy = world.answer();
    CHECK(busy.outcome == Outcome::busy);
    CHECK_THAT(busy.reason, Catch::Contains(".history is open"));
    late.execute("COMMIT");
    CHECK(world.proven() == 2);
    late.execute("START TRANSACTION");
    late.execute(insert);
    CHECK(world.outcome() == Outcome::busy);
    late.execute("ROLLBACK");
    CHECK(world.proven() == 2);
}

TEST_CASE("who only reads the history, however long, does not stand in the way") {
    ProofWorld world;
    Writer reader = world.writer();
    reader.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    reader.execute("SELECT * FROM history");
    CHECK(world.outcome() == Outcome::proven);
}

TEST_CASE("a writer of another table does not stand in the way") {
    ProofWorld world;
    world.database->execute("CREATE TABLE other (id INT PRIMARY KEY)");
    Writer writer = world.writer();
    writer.execute("START TRANSACTION");
    writer.execute("INSERT INTO other VALUES (1)");
    CHECK(world.outcome() == Outcome::proven);
}

TEST_CASE("a transaction that will write, but has no revision yet, is not covered") {
    ProofWorld world;
    world.writer().execute(insert);
    Writer writer = world.writer();
    writer.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    const engine::Revision through = world.proven();
    writer.execute(insert);
    const auto given = writer.connection().rows("SELECT LAST_INSERT_ID()");
    CHECK(std::stoull(given->at(0).at(0).value()) > through);
}

TEST_CASE("revisions above MAX that were rolled back, and may be handed out again, are not covered") {
    ProofWorld world;
    world.writer().execute(insert);
    Writer writer = world.writer();
    writer.execute("START TRANSACTION");
    writer.execute("INSERT INTO history (entity_id) VALUES ('a'), ('b'), ('c')");
    writer.execute("ROLLBACK");
    const engine::Revision through = world.proven();
    CHECK(through == 1);
    world.database->execute("ALTER TABLE history AUTO_INCREMENT = 1");
    writer.execute(insert);
    CHECK(world.database->value("SELECT MAX(history_id) FROM history") == "2");
}

TEST_CASE(
    "a savepoint that is rolled back leaves its transaction in the way as long as a row of it may come") {
    ProofWorld world;
    Writer writer = world.writer();
    writer.execute("START TRANSACTION");
    writer.execute(insert);
    writer.execute("SAVEPOINT s");
    writer.execute(insert);
    writer.execute("ROLLBACK TO s");
    CHECK(world.outcome() == Outcome::busy);
    writer.execute("COMMIT");
    CHECK(world.proven() == 1);
    // Here all that it has written is dead, and only revision 3 is lost.
    writer.execute("START TRANSACTION");
    writer.execute("SAVEPOINT s");
    writer.execute(insert);
    CHECK(world.outcome() == Outcome::busy);
    writer.execute("ROLLBACK TO s");
    CHECK(world.proven() == 1);
    writer.execute(insert);
    CHECK(world.outcome() == Outcome::busy);
    writer.execute("COMMIT");
    CHECK(world.proven() == 4);
}

TEST_CASE(
    "a prepared XA transaction keeps the proof from being given, also when its client or its server has "
    "died") {
    PrivateServer server;
    ProofWorld world(server.settings());
    std::optional<Writer> writer(std::in_place, world.database->settings());
    writer->execute("XA START 'pawl''s', 'b', 7");
    writer->execute(insert);
    CHECK(world.outcome() == Outcome::busy);
    writer->execute("XA END 'pawl''s', 'b', 7");
    CHECK(world.outcome() == Outcome::busy);
    writer->execute("XA PREPARE 'pawl''s', 'b', 7");
    CHECK(world.outcome() == Outcome::busy);
    world.writer().execute(insert);
    writer.reset();
    Writer locker = world.writer();
    wait_until([&] { return locker.connection().execute("LOCK TABLES history READ NOWAIT").has_value(); });
    locker.execute("UNLOCK TABLES");  // so the lock alone proves nothing: revision 1 is still to come
    CHECK(revisions_of(*read_page(world.database->settings(), TestDatabase::pipeline(), everything())) ==
          std::vector<engine::Revision>{2});
    const Proof busy = world.answer();
    CHECK(busy.outcome == Outcome::busy);
    CHECK_THAT(busy.reason, Catch::Contains("1 prepared XA") && Catch::Contains("X'7061776c2773',X'62',7"));

    server.kill();
    server.start();
    CHECK(world.error().kind == ErrorKind::unavailable);
    CHECK(world.outcome() == Outcome::busy);
    Writer(world.database->settings()).execute("XA COMMIT 'pawl''s', 'b', 7");
    CHECK(world.proven() == 2);
    CHECK(revisions_of(*read_page(world.database->settings(), TestDatabase::pipeline(), everything())) ==
          std::vector<engine::Revision>{1, 2});
}

TEST_CASE("an XA COMMIT that is under way keeps the proof from being given") {
    PrivateServer server;
    ProofWorld world(server.settings());
    {
        Writer writer = world.writer();
        writer.execute("XA START 'a'");
        writer.execute(insert);
        writer.execute("XA END 'a'");
        writer.execute("XA PREPARE 'a'");
    }
    Writer backup = world.writer();
    for (const auto* stage : {"START", "BLOCK_COMMIT"})
        backup.execute(fmt::format("BACKUP STAGE {}", stage));
    Background commit(world.database->settings(), "XA COMMIT 'a'");
    Writer watcher = world.writer();
    wait_until([&] {
        return watcher.connection()
                   .rows(fmt::format("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {} AND "
                                     "STATE LIKE 'Waiting%'",
                                     commit.id()))
                   ->size() == 1;
    });
    CHECK(world.outcome() == Outcome::busy);
    backup.execute("BACKUP STAGE END");
    CHECK(commit.join());
    CHECK(world.proven() == 1);
}

TEST_CASE("a commit that a global lock holds up keeps the proof from being given") {
    PrivateServer server;
    ProofWorld world(server.settings());
    Writer writer = world.writer();
    Writer backup = world.writer();
    using Statements = std::vector<std::string>;
    for (const auto& [lock, unlock] :
         {std::pair(Statements{"FLUSH TABLES WITH READ LOCK"}, "UNLOCK TABLES"),
          std::pair(Statements{"BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT"}, "BACKUP STAGE END")}) {
        CAPTURE(lock);
        writer.execute("START TRANSACTION");
        writer.execute(insert);
        for (const auto& statement : lock)
            backup.execute(statement);
        CHECK(world.outcome() == Outcome::busy);
        std::thread commit([&] { writer.execute("COMMIT"); });
        wait_until([&] { return running(*world.database, "COMMIT"); });
        CHECK(world.outcome() == Outcome::busy);
        backup.execute(unlock);
        commit.join();
        CHECK(world.outcome() == Outcome::proven);
    }
    CHECK(world.proven() == 2);
}

TEST_CASE("a table that somebody else has locked or alters is busy, and the look does not wait for it") {
    ProofWorld world;
    Writer other = world.writer();
    other.execute("LOCK TABLES history WRITE");
    auto begin = std::chrono::steady_clock::now();
    CHECK(world.outcome() == Outcome::busy);
    CHECK(std::chrono::steady_clock::now() - begin < at_once);
    other.execute("UNLOCK TABLES");

    // An ALTER that waits for a reader: whoever comes after it would have to queue.
    Writer reader = world.writer();
    reader.execute("START TRANSACTION");
    reader.execute("SELECT * FROM history");
    Background alter(world.database->settings(), "ALTER TABLE history ADD COLUMN more INT");
    wait_until([&] {
        return world.database->value(fmt::format(
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {} AND STATE LIKE "
                   "'Waiting for table metadata lock'",
                   alter.id())) == "1";
    });
    begin = std::chrono::steady_clock::now();
    CHECK(world.outcome() == Outcome::busy);
    CHECK(std::chrono::steady_clock::now() - begin < at_once);
    reader.execute("COMMIT");
    CHECK(alter.join());
    CHECK(world.outcome() == Outcome::proven);
}

TEST_CASE("FLUSH TABLES neither breaks a proof nor is waited for") {
    ProofWorld world;
    world.writer().execute(insert);
    Writer reader = world.writer();
    std::thread scan([&] { (void)reader.connection().rows("SELECT SLEEP(30) FROM history"); });
    wait_until([&] { return running(*world.database, "SELECT SLEEP"); });
    Background flush(world.database->settings(), "FLUSH TABLES");
    wait_until([&] { return running(*world.database, "FLUSH TABLES"); });
    const auto begin = std::chrono::steady_clock::now();
    CHECK(world.look().has_value());
    CHECK(std::chrono::steady_clock::now() - begin < at_once);
    world.database->execute(
        "KILL QUERY " +
        world.database->value(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%' AND "
            "DB = DATABASE()"));
    scan.join();
    CHECK(flush.join());
    CHECK(world.proven() == 1);
}

TEST_CASE("rows that a long statement is still inserting are in the way, whatever innodb_autoinc_lock_mode") {
    const auto mode = GENERATE(1, 2);
    CAPTURE(mode);
    PrivateServer server({fmt::format("--innodb-autoinc-lock-mode={}", mode)});
    ProofWorld world(server.settings());
    world.database->execute("CREATE TABLE more (entity_id VARCHAR(600))");
    world.database->execute("INSERT INTO more SELECT seq FROM seq_1_to_50");
    // It stops at the twenty-first row, in the middle of its revisions, until the named lock is free.
    world.database->execute("SELECT GET_LOCK('gate', 0)");
    Background copy(world.database->settings(),
                    "INSERT INTO history (entity_id, body) SELECT entity_id, IF(entity_id = '21', "
                    "GET_LOCK('gate', 60), '{}') FROM more");
    wait_until([&] {
        return world.database->value(fmt::format("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE "
                                                 "ID = {} AND STATE = 'User lock'",
                                                 copy.id())) == "1";
    });
    CHECK(world.outcome() == Outcome::busy);
    if (mode == 2) {  // only here another writer does not wait for the statement's end
        world.writer().execute("SET SESSION auto_increment_increment = 3");
        world.writer().execute(insert);
        CHECK(world.outcome() == Outcome::busy);
    }
    world.database->execute("SELECT RELEASE_LOCK('gate')");
    CHECK(copy.join());
    CHECK(world.proven() == std::stoull(world.database->value("SELECT MAX(history_id) FROM history")));
}

TEST_CASE("the rollback of a killed writer is in the way until it is done") {
    ProofWorld world;
    Writer writer = world.writer();
    const std::string id = writer.connection().rows("SELECT CONNECTION_ID()")->at(0).at(0).value();
    writer.execute("START TRANSACTION");
    writer.execute("INSERT INTO history (entity_id, body) SELECT seq, REPEAT('x', 200) FROM seq_1_to_20000");
    world.writer().execute(insert);
    CHECK(world.outcome() == Outcome::busy);
    world.database->execute("KILL CONNECTION " + id);
    const std::string left =
        "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = " + id;
    for (Outcome outcome = Outcome::busy; outcome != Outcome::proven;) {
        outcome = world.outcome();
        if (outcome == Outcome::proven) CHECK(world.database->value(left) == "0");
    }
    CHECK(world.database->value("SELECT COUNT(*) FROM history") == "1");
}

TEST_CASE("a partitioned history is proven as any other") {
    ProofWorld world({},
                     "history_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, entity_id VARCHAR(600) NOT NULL, "
                     "body LONGTEXT, discarded BOOL, PRIMARY KEY (history_id), KEY entity (entity_id)) "
                     "PARTITION BY RANGE (history_id) (PARTITION a VALUES LESS THAN (3), PARTITION b VALUES "
                     "LESS THAN MAXVALUE");
    Writer late = world.writer();
    late.execute("START TRANSACTION");
    late.execute(insert);
    world.writer().execute("INSERT INTO history (entity_id) VALUES ('a'), ('b'), ('c')");
    CHECK(world.outcome() == Outcome::busy);
    late.execute("ROLLBACK");
    CHECK(world.proven() == 4);
}

TEST_CASE("without the privilege the reason names it, and a GRANT is seen at the next try") {
    ProofWorld world;
    const auto user = world.database->user_with({"SELECT ON {}.history"});
    world.proof.emplace(user, TestDatabase::pipeline(), world.interrupt);
    const Proof refused = world.answer();
    CHECK(refused.outcome == Outcome::not_allowed);
    CHECK(refused.reason == fmt::format("the user {} may not LOCK TABLES: GRANT LOCK TABLES ON `{}`.* to it",
                                        user.user, world.database->name()));
    world.database->execute(
        fmt::format("GRANT LOCK TABLES ON {}.* TO {}@'%'", world.database->name(), user.user));
    CHECK(world.proven() == 0);
    world.database->execute(
        fmt::format("REVOKE LOCK TABLES ON {}.* FROM {}@'%'", world.database->name(), user.user));
    world.proof->close();
    CHECK(world.outcome() == Outcome::not_allowed);
    world.database->execute(
        fmt::format("REVOKE SELECT ON {}.history FROM {}@'%'", world.database->name(), user.user));
    CHECK(world.error().kind == ErrorKind::forbidden);
}

TEST_CASE("a server that becomes a replica under an open connection proves nothing more") {
    PrivateServer server({"--server-id=2"});
    ProofWorld world(server.settings());
    CHECK(world.outcome() == Outcome::proven);
    world.database->execute("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1");
    const Error error = world.error();
    CHECK(error.kind == ErrorKind::invalid);
    CHECK_THAT(to_line(error), Catch::Contains("is a replica") && Catch::Contains("outbox mode"));
    const auto user = world.database->user_with({"SELECT ON {}.history", "LOCK TABLES ON {}.*"});
    world.database->execute("SET GLOBAL read_only = 1");
    world.proof.emplace(user, TestDatabase::pipeline(), world.interrupt);
    const Proof refused = world.answer();
    CHECK(refused.outcome == Outcome::not_allowed);
    CHECK_THAT(refused.reason, Catch::Contains("may be a replica") && Catch::Contains("GRANT SLAVE MONITOR"));
}

TEST_CASE(
    "a connection that was killed, or a server that died, is unavailable, and the next try is a new one") {
    PrivateServer server;
    ProofWorld world(server.settings());
    CHECK(world.proven() == 0);
    world.database->execute(
        "KILL CONNECTION " +
        world.database->value(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND USER = 'root'"));
    CHECK(world.error().kind == ErrorKind::unavailable);
    CHECK(world.proven() == 0);
    server.kill();
    for (int i = 0; i < 2; ++i)
        CHECK(world.error().kind == ErrorKind::unavailable);
    server.start();
    CHECK(world.proven() == 0);
}

TEST_CASE("a triggered interrupt ends a look that the server does not answer") {
    PrivateServer server;
    ProofWorld world(server.settings());
    CHECK(world.proven() == 0);
    server.freeze();
    std::atomic<bool> ended = false;
    std::thread look([&] {
        CHECK_FALSE(world.look().has_value());
        ended = true;
    });
    const auto begin = std::chrono::steady_clock::now();
    world.interrupt.trigger();
    look.join();
    CHECK(std::chrono::steady_clock::now() - begin < at_once);
    server.thaw();
    CHECK_FALSE(world.look().has_value());
}

// The window that a wrong order opens is microseconds wide, so chance alone rarely finds it.
TEST_CASE("one packet reads MAX before the lock, and the prepared transactions after it") {
    ProofWorld world;
    CHECK(world.proven() == 0);
    const std::string id = world.database->value(
        fmt::format("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = '{}' AND ID <> CONNECTION_ID()",
                    world.database->name()));
    world.database->execute("SET GLOBAL log_output = 'TABLE'");
    world.database->execute("TRUNCATE mysql.general_log");
    world.database->execute("SET GLOBAL general_log = 1");
    CHECK(world.proven() == 0);
    world.database->execute("SET GLOBAL general_log = 0, log_output = DEFAULT");
    CHECK(world.database->value(fmt::format("SELECT argument FROM mysql.general_log WHERE thread_id = {} AND "
                                            "argument LIKE '%MAX(%'",
                                            id)) ==
          fmt::format("SELECT MAX(`history_id`) FROM `{0}`.`history` WHERE `history_id` BETWEEN 1 AND "
                      "9223372036854775807;LOCK TABLES `{0}`.`history` READ NOWAIT;UNLOCK TABLES;XA RECOVER "
                      "FORMAT='SQL'",
                      world.database->name()));
}

TEST_CASE("what a proof has covered stays as it was, however writers mix their transactions") {
    TestDatabase database;
    database.make_history();
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::atomic<int> at_work = mixed_writers;
    std::vector<std::thread> writers;
    for (unsigned i = 0; i < mixed_writers; ++i)
        writers.emplace_back([&, i] {
            mix_transactions(database.settings(), seed + i);
            --at_work;
        });
    source::Interrupt interrupt;
    GapProof proof(database.settings(), TestDatabase::pipeline(), interrupt);
    std::vector<std::pair<engine::Revision, std::string>> proofs;  // through, how many were there
    const auto count = [&](engine::Revision through) {
        return database.value(fmt::format("SELECT COUNT(*) FROM history WHERE history_id <= {}", through));
    };
    while (at_work > 0) {
        const auto answered = proof.try_prove();
        if (answered && answered->outcome == Outcome::proven)
            proofs.emplace_back(answered->through, count(answered->through));
    }
    for (auto& writer : writers)
        writer.join();
    CHECK(proofs.size() >= mixed_proofs_min);
    for (const auto& [through, there] : proofs) {
        CAPTURE(through);
        REQUIRE(count(through) == there);
    }
    WARN(proofs.size() << " proofs");
}

TEST_CASE("whoever looks may be stopped at any moment: no writer waits for it") {
    TestDatabase database;
    database.make_history();
    const Looker looker(database.settings());
    Writer writer(database.settings());
    writer.execute("SET SESSION lock_wait_timeout = 1");  // who waits for a lock fails
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::minstd_rand random(seed);
    for (int i = 0; i < stops; ++i) {
        const auto before = looker.proven();
        wait_until([&] { return looker.proven() > before; });
        const auto moment = std::chrono::steady_clock::now() +
                            std::chrono::microseconds(random() % static_cast<unsigned>(look_us_max));
        while (std::chrono::steady_clock::now() < moment)
            std::this_thread::yield();
        looker.stop();
        writer.execute(insert);
        looker.go_on();
    }
    CHECK(database.value("SELECT COUNT(*) FROM history") == std::to_string(stops));
}
