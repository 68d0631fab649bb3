#include "source/lease.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <utility>

#include "base/time.h"
#include "engine/limits.h"
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

}  // namespace

std::string lease_name(const std::string& database, const std::string& alias) {
    const std::string whole = fmt::format("{}:{}{}", database.size(), database, alias);
    return fmt::format("pawl/{}/{:016x}", alias.substr(0, limits::lease_alias_bytes_max),
                       XXH3_64bits(whole.data(), whole.size()));
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
      name_(lease_name(settings_.database, pipeline.index.alias)),
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
        const auto won = value_of(fmt::format("SELECT GET_LOCK({}, 0)", connection_->quoted(name_)));
        is_held_ = won && *won == "1";
        if (!is_held_) budget_.give_back();
        if (!won) return std::unexpected(won.error());
        if (!*won) return fail(ErrorKind::unavailable, "GET_LOCK failed");
        if (is_held_) lease.outcome = Outcome::won;
        if (is_held_) return lease;
    }
    auto who = holder();
    if (!who) return std::unexpected(std::move(who.error()));
    if (!who->empty())
        lease.reason = *who + " feeds this pipeline";
    else if (!has_room)
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
    const auto held =
        value_of(fmt::format("SELECT IS_USED_LOCK({}) = CONNECTION_ID()", connection_->quoted(name_)));
    if (!held) return std::unexpected(held.error());
    return *held == "1";
}

// Who has it; empty: nobody. As far as this user may see: without the PROCESS privilege that is only its own
// connections.
Result<std::string> MariaDbLease::holder() {
    const auto id = value_of(fmt::format("SELECT IS_USED_LOCK({})", connection_->quoted(name_)));
    if (!id) return std::unexpected(id.error());
    if (!*id) return std::string{};
    const auto host =
        value_of(fmt::format("SELECT MAX(HOST) FROM information_schema.PROCESSLIST WHERE ID = {}", **id));
    if (!host) return std::unexpected(host.error());
    return fmt::format("another pawl, connection {}{}", **id, *host ? " from " + **host : std::string());
}

Result<std::optional<std::string>> MariaDbLease::value_of(const std::string& sql) {
    auto rows = connection_->rows(sql);
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (rows->size() != 1 || rows->front().size() != 1)
        return fail(ErrorKind::unavailable, connection_->place() + ": an answer that is not one value");
    return std::move(rows->front().front());
}

}  // namespace pawl::source
