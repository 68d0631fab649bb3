#include "source/mariadb_source.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/time.h"
#include "source/check.h"
#include "source/limits.h"
#include "source/server_role.h"
#include "source/signals.h"

namespace pawl::source {

MariaDbSource::MariaDbSource(config::MariaDb settings, config::Pipeline pipeline, engine::Inbox& inbox,
                             const engine::LeaseTerm* lease)
    : settings_(std::move(settings)),
      pipeline_(std::move(pipeline)),
      inbox_(inbox),
      lease_(lease),
      proof_(settings_, pipeline_, proof_interrupt_) {
    worker_ = std::thread([this] { work(); });
}

MariaDbSource::~MariaDbSource() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    asked_.notify_one();
    interrupt_.trigger();
    proof_interrupt_.trigger();
    worker_.join();
}

void MariaDbSource::prepare() {
    ask(Prepare{});
}

void MariaDbSource::read(engine::ReadRequest request) {
    PAWL_ASSERT(request.revisions.empty() == request.table_after.has_value() && request.rows_max >= 1);
    ask(std::move(request));
}

void MariaDbSource::prove() {
    PAWL_ASSERT(!has_outbox());
    ask(Prove{});
}

void MariaDbSource::clean_up(engine::CleanUpRequest request) {
    PAWL_ASSERT(has_outbox() && (request.late_through == 0 || request.rows_max >= 1));
    ask(Clean{std::move(request), lease_ == nullptr ? 0 : lease_->number()});
}

void MariaDbSource::look_up(engine::LookUpRequest request) {
    ask(std::move(request));
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
    proof_.close();
}

engine::Event MariaDbSource::answer(const Prepare&) {
    forget_table();
    auto facts = look_at_history();
    if (facts) return engine::SourceReady{*facts};
    connection_.reset();
    return engine::SourceFailed{std::move(facts.error()).within(fmt::format("pipeline {}", pipeline_.name))};
}

engine::Event MariaDbSource::answer(const engine::ReadRequest& request) {
    auto page = read_page(request);
    if (page) return engine::PageRead{.id = request.id, .page = std::move(*page)};
    connection_.reset();
    proof_.close();  // a fill's scan may have used it
    return engine::ReadFailed{
        .id = request.id,
        .error = std::move(page.error()).within(fmt::format("pipeline {}", pipeline_.name))};
}

engine::Event MariaDbSource::answer(const Clean& clean) {
    auto cleaned = clean_up_outbox(clean);
    if (cleaned) return *cleaned;
    connection_.reset();
    return engine::CleanUpFailed{
        .id = clean.request.id,
        .error = std::move(cleaned.error()).within(fmt::format("pipeline {}", pipeline_.name))};
}

engine::Event MariaDbSource::answer(const engine::LookUpRequest& request) {
    auto found = look_up_rows(request);
    if (found) return engine::LookedUp{.id = request.id, .answer = std::move(*found)};
    connection_.reset();
    return engine::LookUpFailed{
        .id = request.id,
        .error = std::move(found.error()).within(fmt::format("pipeline {}", pipeline_.name))};
}

engine::Event MariaDbSource::answer(const Prove&) {
    auto proof = look_for_writers();
    if (proof) return engine::ProofAnswered{std::move(*proof)};
    proof_.close();
    return engine::ProofFailed{std::move(proof.error()).within(fmt::format("pipeline {}", pipeline_.name))};
}

Result<engine::SourceFacts> MariaDbSource::look_at_history() {
    if (auto done = connect(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = look_at_table(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = catch_up(); !done) return std::unexpected(std::move(done.error()));
    auto end = has_outbox() ? outbox_->history_end(*connection_) : reader_->history_end(*connection_);
    if (!end) return std::unexpected(std::move(end.error()));
    return engine::SourceFacts{.history_end = *end,
                               .shape = has_outbox() ? outbox_->shape() : reader_->shape(),
                               .rows_estimate = has_outbox() ? outbox_->rows_estimate() : 0,
                               .warnings = warnings_};
}

Result<std::shared_ptr<const engine::Page>> MariaDbSource::read_page(const engine::ReadRequest& request) {
    if (auto done = be_ready(); !done) return std::unexpected(std::move(done.error()));
    return has_outbox() ? outbox_->read(*connection_, request)
                        : reader_->read(*connection_, request, proof_.connection_to(server_));
}

Result<engine::CleanedUp> MariaDbSource::clean_up_outbox(const Clean& clean) {
    if (auto done = be_ready(); !done) return std::unexpected(std::move(done.error()));
    return clean_up_->run(*connection_, clean.request,
                          [&] { return lease_ == nullptr || lease_->lasts(clean.term, clock_now()); });
}

Result<engine::LookUpAnswer> MariaDbSource::look_up_rows(const engine::LookUpRequest& request) {
    if (auto done = be_ready(); !done) return std::unexpected(std::move(done.error()));
    if (auto done = catch_up(); !done) return std::unexpected(std::move(done.error()));
    failpoint::at("before:look_up");
    if (triggers_) {
        auto gone = triggers_->look(*connection_);
        if (!gone) return std::unexpected(std::move(gone.error()));
        if (*gone) return std::unexpected(std::move(**gone));
    }
    if (auto done = look_for_other_columns(); !done) return std::unexpected(std::move(done.error()));
    auto answer =
        has_outbox() ? outbox_->look_up(*connection_, request) : reader_->look_up(*connection_, request);
    if (answer && request.take_id_from && answer->history_end >= *request.take_id_from) {
        const auto id = clean_up_->take_id(*connection_);
        if (!id) return std::unexpected(id.error());
        answer->history_end = *id;
    }
    failpoint::at("after:look_up");
    return answer;
}

// What is proven on one server says nothing about what a snapshot on another one will show.
Result<engine::Proof> MariaDbSource::look_for_writers() {
    if (auto done = connect(); !done) return std::unexpected(std::move(done.error()));
    auto proof = proof_.try_prove();
    if (!proof || proof->outcome != engine::Proof::Outcome::proven || proof_.server() == server_)
        return proof;
    const std::string place = connection_->place();
    connection_.reset();  // one of the two has to go; reading begins anew where new connections lead now
    return fail(
        ErrorKind::unavailable,
        fmt::format("two connections to {} lead to two servers, {} and {}", place, server_, proof_.server()),
        "after a failover this passes by itself; otherwise name one server in [mariadb], or a proxy that "
        "sends everything to the primary");
}

Result<void> MariaDbSource::connect() {
    if (connection_ && connection_->is_open()) return {};
    connection_.reset();
    auto opened = Connection::open(settings_, interrupt_);
    if (!opened) return std::unexpected(std::move(opened.error()));
    auto identity = server_identity(*opened);
    if (!identity) return std::unexpected(std::move(identity.error()));
    const std::string before = std::exchange(server_, std::move(*identity));
    if (!before.empty() && before != server_) return server_has_changed(before, opened->place());
    connection_.emplace(std::move(*opened));
    failpoint::at("after:connect");
    auto done = catch_up();
    if (!done) connection_.reset();
    return done;
}

// What was read on another node of the cluster, by this pawl or one before it, must be in what is looked at
// now: else a node that lags looks like an outbox that went back. (Revision mode reads from no such node.)
Result<void> MariaDbSource::catch_up() {
    return has_outbox() ? catch_up_with_cluster(*connection_) : Result<void>{};
}

// Whoever asked must hear that what it knows of the server before may not be true of this one. The next
// request finds it as it is.
Result<void> MariaDbSource::server_has_changed(const std::string& before, const std::string& place) {
    forget_table();
    return fail(ErrorKind::unavailable,
                fmt::format("{} is another server now: {}, not {}", place, server_, before));
}

Result<void> MariaDbSource::be_ready() {
    if (auto done = connect(); !done) return done;
    return has_reader() ? Result<void>{} : look_at_table();
}

void MariaDbSource::forget_table() {
    reader_.reset();
    outbox_.reset();
    clean_up_.reset();
    triggers_.reset();
}

Result<void> MariaDbSource::look_at_table() {
    failpoint::at("before:look_at_table");
    if (has_outbox()) {
        auto done = look_at_outbox();
        failpoint::at("after:look_at_table");
        return done;
    }
    auto table = fit_table(*connection_, settings_, pipeline_);
    if (!table) return std::unexpected(std::move(table.error()));
    reader_.emplace(*table, pipeline_);
    columns_ = std::move(table->columns);
    failpoint::at("after:look_at_table");
    return {};
}

Result<void> MariaDbSource::look_for_other_columns() {
    const bool has_view = has_outbox() && !pipeline_.source.outbox->view.empty();
    const auto now = describe(*connection_, settings_.database,
                              has_view ? pipeline_.source.outbox->view : pipeline_.source.table);
    if (!now) return std::unexpected(now.error());
    if (now->columns == columns_) return {};
    forget_table();
    return look_at_table();
}

Result<void> MariaDbSource::look_at_outbox() {
    auto fit = fit_outbox(*connection_, settings_, pipeline_);
    if (!fit) return std::unexpected(std::move(fit.error()));
    auto triggers = TriggerWatch::begin(*connection_, settings_, pipeline_);
    if (!triggers) return std::unexpected(std::move(triggers.error()));
    outbox_.emplace(fit->layout, pipeline_);
    clean_up_.emplace(fit->layout);
    triggers_.emplace(std::move(*triggers));
    columns_ = fit->layout.present().columns;
    warnings_ = std::move(fit->warnings);
    return {};
}

}  // namespace pawl::source
