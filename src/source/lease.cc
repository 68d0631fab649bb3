#include "source/lease.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/time.h"
#include "engine/limits.h"
#include "source/json.h"
#include "source/limits.h"
#include "source/signals.h"

namespace pawl::source {
namespace {

static_assert(limits::lease_timeout_ms <= engine::limits::lease_valid_ms);

// Connecting may take as long as the config says: no confirmation grows old meanwhile.
config::MariaDb with_short_timeout(config::MariaDb settings) {
    settings.read_timeout_ms = limits::lease_timeout_ms;
    return settings;
}

std::string lock_name(std::string_view kind, std::string_view readable, const std::string& database,
                      const std::string& name) {
    const std::string whole = fmt::format("{}:{}{}", database.size(), database, name);
    return fmt::format("pawl/{}{}/{:016x}", kind, readable, XXH3_64bits(whole.data(), whole.size()));
}

// As servers with lower_case_table_names compare them: two spellings of one table are one lock.
std::string folded(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    return text;
}

std::vector<std::string> quoted_names(const Connection& connection, std::span<const std::string> locks) {
    std::vector<std::string> names;
    for (const std::string& lock : locks)
        names.push_back(connection.quoted(lock));
    return names;
}

}  // namespace

std::string lease_name(const std::string& database, const std::string& alias) {
    return lock_name("", alias.substr(0, limits::lease_alias_bytes_max), database, alias);
}

std::string outbox_lock_name(const std::string& database, const std::string& outbox) {
    const std::string table = folded(outbox);
    return lock_name("outbox/", cut(table, limits::lease_outbox_bytes_max), folded(database), table);
}

std::vector<std::string> lease_locks(const std::string& database, const config::Pipeline& pipeline) {
    std::vector<std::string> locks{lease_name(database, pipeline.index.alias)};
    if (const auto& outbox = pipeline.source.outbox)
        locks.push_back(outbox_lock_name(database, outbox->table));
    return locks;
}

// In one statement, so that nobody sees one lock of two for longer than the server takes for it. The outbox's
// comes first: where another alias's pawl has it, the own alias is not touched.
Result<bool> take_locks(Connection& connection, std::span<const std::string> locks) {
    PAWL_ASSERT(locks.size() == 1 || locks.size() == 2);
    const auto names = quoted_names(connection, locks);
    const std::string sql =
        names.size() == 1
            ? fmt::format("SELECT GET_LOCK({}, 0)", names[0])
            : fmt::format("SELECT IF(GET_LOCK({1}, 0), IF(GET_LOCK({0}, 0), 1, RELEASE_LOCK({1}) - 1), 0)",
                          names[0], names[1]);
    const auto rows = connection.rows(sql);
    if (!rows) return std::unexpected(rows.error());
    if (!rows->at(0).at(0)) return fail(ErrorKind::unavailable, "GET_LOCK failed");
    return rows->at(0).at(0) == "1";
}

bool LeaseBudget::take() {
    std::size_t left = left_;
    while (left > 0)
        if (left_.compare_exchange_weak(left, left - 1)) return true;
    return false;
}

MariaDbLease::MariaDbLease(config::MariaDb settings, const config::Pipeline& pipeline, LeaseBudget& budget,
                           engine::Inbox& inbox, engine::LeaseTerm* term)
    : settings_(with_short_timeout(std::move(settings))),
      locks_(lease_locks(settings_.database, pipeline)),
      outbox_(pipeline.source.outbox ? pipeline.source.outbox->table : std::string()),
      place_(fmt::format("pipeline {}: its lease", pipeline.name)),
      budget_(budget),
      inbox_(inbox),
      term_(term) {
    worker_ = std::thread([this] { work(); });
}

MariaDbLease::~MariaDbLease() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    interrupt_.trigger();
    worker_.join();
}

void MariaDbLease::ask() {
    {
        const std::lock_guard lock(mutex_);
        asked_ = true;
    }
    changed_.notify_one();
}

void MariaDbLease::give_back() {
    {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
    }
    changed_.notify_one();
}

void MariaDbLease::work() {
    block_signals();
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || asked_ || is_over_; });
            if (stopping_ || is_over_) break;
            asked_ = false;
        }
        engine::Event event = answer();
        if (interrupt_.triggered()) break;
        inbox_.post(std::move(event));
    }
    let_go();
}

void MariaDbLease::tell(const engine::Lease& lease) {
    if (term_ == nullptr) return;
    switch (lease.outcome) {
        case engine::Lease::Outcome::won:
            return term_->won(lease.asked_at);
        case engine::Lease::Outcome::held:
            return term_->held(lease.asked_at);
        case engine::Lease::Outcome::taken:
            return term_->lost();
    }
}

void MariaDbLease::let_go() {
    if (term_ != nullptr) term_->lost();
    connection_.reset();
    if (std::exchange(is_held_, false)) budget_.give_back();
}

engine::Event MariaDbLease::answer() {
    auto lease = look();
    if (lease) {
        tell(*lease);
        return engine::LeaseAnswered{std::move(*lease)};
    }
    let_go();
    return engine::LeaseFailed{std::move(lease.error()).within(place_)};
}

Result<engine::Lease> MariaDbLease::look() {
    using Outcome = engine::Lease::Outcome;
    if (auto done = connect(); !done) return std::unexpected(std::move(done.error()));
    if (!is_held_) return try_to_win();
    engine::Lease lease{.outcome = Outcome::held, .asked_at = clock_now()};
    const auto still = confirm();
    if (!still) return std::unexpected(still.error());
    if (!*still) return fail(ErrorKind::unavailable, "MariaDB has given its lock to another connection");
    return lease;
}

Result<engine::Lease> MariaDbLease::try_to_win() {
    using Outcome = engine::Lease::Outcome;
    engine::Lease lease{.asked_at = clock_now()};
    const bool has_room = budget_.take();
    if (has_room) {
        const auto won = take_locks(*connection_, locks_);
        is_held_ = won && *won;
        if (!is_held_) budget_.give_back();
        if (!won) return std::unexpected(won.error());
        if (is_held_) lease.outcome = Outcome::won;
        if (is_held_) return lease;
    }
    auto who = who_has_it();
    if (!who) return std::unexpected(std::move(who.error()));
    lease.reason = std::move(*who);
    if (lease.reason.empty() && !has_room)
        lease.reason = fmt::format(
            "nobody feeds this pipeline: this pawl has {} others, as many as "
            "lease.pipelines_max allows",
            budget_.leases_max());
    return lease;
}

Result<void> MariaDbLease::connect() {
    if (connection_ && connection_->is_open()) return {};
    let_go();
    auto opened = Connection::open(settings_, interrupt_);
    if (!opened) return std::unexpected(std::move(opened.error()));
    connection_.emplace(std::move(*opened));
    return connection_->execute(
        fmt::format("SET SESSION wait_timeout = {}", engine::limits::lease_silence_ms / 1000));
}

Result<bool> MariaDbLease::confirm() {
    std::vector<std::string> ours;
    for (const std::string& name : quoted_names(*connection_, locks_))
        ours.push_back(fmt::format("IS_USED_LOCK({}) = CONNECTION_ID()", name));
    const auto held = value_of(fmt::format("SELECT {}", fmt::join(ours, " AND ")));
    if (!held) return std::unexpected(held.error());
    return *held == "1";
}

Result<std::string> MariaDbLease::who_has_it() {
    auto feeds = holder(locks_.front());
    if (!feeds || !feeds->empty()) return feeds ? *feeds + " feeds this pipeline" : feeds;
    if (locks_.size() == 1) return std::string{};
    auto other = holder(locks_.back());
    if (!other || other->empty()) return other;
    return fmt::format(
        "{} feeds another alias from the outbox {}, and deletes its rows: each pipeline needs an outbox of "
        "its "
        "own, set pipeline.source.outbox",
        *other, outbox_);
}

// Who has this lock; empty: nobody. As far as this user may see: without the PROCESS privilege that is only
// its own connections.
Result<std::string> MariaDbLease::holder(const std::string& lock) {
    const auto id = value_of(fmt::format("SELECT IS_USED_LOCK({})", connection_->quoted(lock)));
    if (!id) return std::unexpected(id.error());
    if (!*id) return std::string{};
    const auto host =
        value_of(fmt::format("SELECT MAX(HOST) FROM information_schema.PROCESSLIST WHERE ID = {}", **id));
    if (!host) return std::unexpected(host.error());
    return fmt::format("another pawl, connection {}{},", **id, *host ? " from " + **host : std::string());
}

Result<std::optional<std::string>> MariaDbLease::value_of(const std::string& sql) {
    auto rows = connection_->rows(sql);
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (rows->size() != 1 || rows->front().size() != 1)
        return fail(ErrorKind::unavailable, connection_->place() + ": an answer that is not one value");
    return std::move(rows->front().front());
}

}  // namespace pawl::source
