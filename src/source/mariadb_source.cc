#include "source/mariadb_source.h"

#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <utility>

#include "base/assert.h"
#include "source/check.h"
#include "source/limits.h"

namespace pawl::source {
namespace {

// Signals are the main thread's; and a write to a closed TLS connection must be an error here, not the end.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

MariaDbSource::MariaDbSource(config::MariaDb settings, config::Pipeline pipeline, engine::Inbox& inbox)
    : settings_(std::move(settings)), pipeline_(std::move(pipeline)), inbox_(inbox) {
    worker_ = std::thread([this] { work(); });
}

MariaDbSource::~MariaDbSource() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    asked_.notify_one();
    interrupt_.trigger();
    worker_.join();
}

void MariaDbSource::prepare() {
    ask(Prepare{});
}

void MariaDbSource::read(engine::ReadRequest request) {
    PAWL_ASSERT(!request.revisions.empty() && request.rows_max >= 1);
    ask(std::move(request));
}

void MariaDbSource::prove() {
    inbox_.post(engine::ProofAnswered{{engine::Proof::Outcome::busy, 0, "proofs are not wired yet"}});
}

void MariaDbSource::ask(Request request) {
    {
        const std::lock_guard lock(mutex_);
        PAWL_ASSERT(requests_.size() < limits::requests_queued_max);
        requests_.push_back(std::move(request));
    }
    asked_.notify_one();
}

void MariaDbSource::work() {
    block_signals();
    for (;;) {
        Request request;
        {
            std::unique_lock lock(mutex_);
            asked_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
            if (stopping_) break;
            request = std::move(requests_.front());
            requests_.pop_front();
        }
        engine::Event event = std::visit([this](const auto& what) { return answer(what); }, request);
        if (interrupt_.triggered()) break;
        inbox_.post(std::move(event));
    }
    connection_.reset();
}

engine::Event MariaDbSource::answer(const Prepare&) {
    reader_.reset();
    auto facts = look_at_history();
    if (facts) return engine::SourceReady{*facts};
    connection_.reset();
    return engine::SourceFailed{std::move(facts.error()).within(fmt::format("pipeline {}", pipeline_.name))};
}

engine::Event MariaDbSource::answer(const engine::ReadRequest& request) {
    auto page = read_page(request);
    if (page) return engine::PageRead{.id = request.id, .page = std::move(*page)};
    connection_.reset();
    return engine::ReadFailed{
        .id = request.id,
        .error = std::move(page.error()).within(fmt::format("pipeline {}", pipeline_.name))};
}

Result<engine::SourceFacts> MariaDbSource::look_at_history() {
    if (auto done = connect(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = look_at_table(); !done) return std::unexpected(std::move(done.error()));
    auto end = reader_->history_end(*connection_);
    if (!end) return std::unexpected(std::move(end.error()));
    return engine::SourceFacts{.history_end = *end};
}

Result<std::shared_ptr<const engine::Page>> MariaDbSource::read_page(const engine::ReadRequest& request) {
    if (auto done = connect(); !done) return std::unexpected(std::move(done.error()));
    if (!reader_)
        if (auto done = look_at_table(); !done) return std::unexpected(std::move(done.error()));
    return reader_->read(*connection_, request);
}

Result<void> MariaDbSource::connect() {
    if (connection_ && connection_->is_open()) return {};
    connection_.reset();
    auto opened = Connection::open(settings_, interrupt_);
    if (!opened) return std::unexpected(std::move(opened.error()));
    connection_.emplace(std::move(*opened));
    return {};
}

Result<void> MariaDbSource::look_at_table() {
    auto table = fit_table(*connection_, settings_, pipeline_);
    if (!table) return std::unexpected(std::move(table.error()));
    reader_.emplace(*table, pipeline_);
    return {};
}

}  // namespace pawl::source
