// The history or outbox of one pipeline in MariaDB, as the engine's SourcePort.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>

#include "config/config.h"
#include "engine/lease_term.h"
#include "engine/ports.h"
#include "source/connection.h"
#include "source/gap_proof.h"
#include "source/interrupt.h"
#include "source/outbox_clean_up.h"
#include "source/outbox_reader.h"
#include "source/reader.h"
#include "source/trigger_watch.h"

namespace pawl::source {

// One worker thread (and, while a large history is scanned for a fill, a second one), one connection that
// reads and one for proofs, which the second thread scans on. Requests wait in a short queue and are answered
// in order. After an error the connection is closed, and the next request opens a new one. A proof is given
// only while both connections lead to one server. Destruction ends a statement that is under way at once; its
// event and those of waiting requests are not posted.
class MariaDbSource final : public engine::SourcePort {
  public:
    // Starts the thread; connects at the first request. `inbox` must outlive the source.
    // `lease`: nothing is cleaned up without it; null: always.
    MariaDbSource(config::MariaDb settings, config::Pipeline pipeline, engine::Inbox& inbox,
                  const engine::LeaseTerm* lease = nullptr);
    ~MariaDbSource() override;
    MariaDbSource(const MariaDbSource&) = delete;
    MariaDbSource& operator=(const MariaDbSource&) = delete;

    void prepare() override;
    void read(engine::ReadRequest request) override;
    void prove() override;
    void clean_up(engine::CleanUpRequest request) override;
    void look_up(engine::LookUpRequest request) override;

  private:
    struct Prepare {};
    struct Prove {};
    struct Clean {
        engine::CleanUpRequest request;
        std::uint64_t term = 0;  // of the lease, in which it was asked for
    };
    using Request = std::variant<Prepare, engine::ReadRequest, Prove, Clean, engine::LookUpRequest>;

    void ask(Request request);
    void work();
    engine::Event answer(const Prepare& request);
    engine::Event answer(const engine::ReadRequest& request);
    engine::Event answer(const Prove& request);
    engine::Event answer(const Clean& clean);
    engine::Event answer(const engine::LookUpRequest& request);
    Result<engine::SourceFacts> look_at_history();
    Result<std::shared_ptr<const engine::Page>> read_page(const engine::ReadRequest& request);
    Result<engine::CleanedUp> clean_up_outbox(const Clean& clean);
    Result<engine::LookUpAnswer> look_up_rows(const engine::LookUpRequest& request);
    Result<engine::Proof> look_for_writers();
    // Makes sure that there is an open connection.
    Result<void> connect();
    Result<void> catch_up();
    Result<void> server_has_changed(const std::string& before, const std::string& place);
    // Makes sure of that too, and that there is a reader.
    Result<void> be_ready();
    // Checks the table anew and makes the reader from what was found.
    Result<void> look_at_table();
    Result<void> look_at_outbox();
    // Looks at the table anew where other columns are there than when it was looked at.
    Result<void> look_for_other_columns();
    bool has_outbox() const { return pipeline_.source.outbox.has_value(); }
    bool has_reader() const { return reader_ || outbox_; }
    void forget_table();

    const config::MariaDb settings_;
    const config::Pipeline pipeline_;
    engine::Inbox& inbox_;
    const engine::LeaseTerm* const lease_;  // may be null
    Interrupt interrupt_;
    Interrupt proof_interrupt_;

    // The worker's own.
    std::optional<Connection> connection_;
    std::string server_;  // that connection_ leads to
    GapProof proof_;
    std::vector<Column> columns_;   // of the table or view that documents are made of
    std::optional<Reader> reader_;  // revision mode
    std::optional<OutboxReader> outbox_;
    std::optional<OutboxCleanUp> clean_up_;
    std::optional<TriggerWatch> triggers_;  // outbox mode
    std::vector<Error> warnings_;           // of the last look at the table

    std::mutex mutex_;
    std::condition_variable asked_;
    std::deque<Request> requests_;  // guarded by mutex_
    bool stopping_ = false;         // guarded by mutex_
    std::thread worker_;
};

}  // namespace pawl::source
