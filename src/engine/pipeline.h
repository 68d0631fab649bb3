// The state machine of one pipeline: events in, effects out. No I/O, no clock, no thread, no random number.
//
//   win the lease → prepare both servers, look whether the history is the one that it was → recover
//   (engine/recovery.h) → read, journal INTENT, send, journal APPLIED and COMMITTED
//
// What it remembers lies mainly in these: Ledger (what the journal says), BatchWork (what an open batch still
// needs), Reading (what is read next), GapClosing (which missing revisions are dead), LeaseKeeping (whether
// this pawl may feed the pipeline), Trouble (who waits for what after a failure),
// CleaningUp (outbox mode: which rows go or get new ones). In outbox mode the first reads are of the table
// itself, and pipeline_outbox.cc does what only it does; has_outbox() marks where else it differs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch_work.h"
#include "engine/cleaning_up.h"
#include "engine/effect.h"
#include "engine/errand.h"
#include "engine/event.h"
#include "engine/filled.h"
#include "engine/gap_closing.h"
#include "engine/history_check.h"
#include "engine/lease_keeping.h"
#include "engine/ledger.h"
#include "engine/limits.h"
#include "engine/reading.h"
#include "engine/trouble.h"

namespace pawl::engine {

// When a pipeline has done its work.
enum class Until : std::uint8_t {
    stopped,    // `run`: when it is told to stop
    caught_up,  // `sync`: when the index holds all that the history held when both servers were ready
    recovered,  // `recover`: when no batch is open any more
};

// The label of the incident that says that documents have a new shape from now on.
inline constexpr std::string_view shape_incident = "shape";

// Outbox mode: how an index is filled anew.
inline constexpr std::string_view refill_advice =
    "pawl rebuild fills a new index from the table; or delete the one behind the alias: pawl run makes and "
    "fills another (until then readers find less)";

struct PipelineSettings {
    std::string name;
    journal::SourceIdentity source;
    Limits limits;
    std::string entities = {};  // Remembered::entities
    Until until = Until::stopped;
};

class Pipeline {
  public:
    // `journal`: what the journal says of this pipeline; empty when it does not know it.
    Pipeline(PipelineSettings settings, std::optional<journal::PipelineSnapshot> journal);

    // The first event must be Begin, the only one. `now` must not go back. Events that no longer mean
    // anything (the answer to a request that was given up) have no effect.
    std::vector<Effect> step(const Event& event, TimeMs now);

    const std::string& name() const { return settings_.name; }
    // A Finish has been asked for.
    bool finished() const { return finished_; }
    const Ledger& ledger() const { return ledger_; }
    // Where the history ended when it was last asked; 0: not yet.
    Revision history_end() const { return source_ ? source_->history_end : 0; }
    // Outbox mode: about how many rows the table has; 0: not known.
    std::uint64_t rows_estimate() const { return source_ ? source_->rows_estimate : 0; }
    // Once it is finished: what the index holds besides quarantine, if nothing was lost. Only where this
    // process has filled an empty index, and has sent nothing but what the fill was to send: a late row, or
    // one that was read again, may have replaced a document that is counted already.
    const std::optional<Filled>& filled() const { return filled_; }

  private:
    struct InFlight {
        BatchId batch = 0;
        Part part;
    };

    void on(const Begin& event);
    void on(const SourceReady& event);
    void on(const SourceFailed& event);
    void on(const TargetReady& event);
    void on(const TargetFailed& event);
    void on(const PageRead& event);
    void on(const ReadFailed& event);
    void on(const ProofAnswered& event);
    void on(const ProofFailed& event);
    void on(const CleanedUp& event);
    void on(const CleanUpFailed& event);
    void on(const LookedUp& event);
    void on(const LookUpFailed& event);
    void on(const LeaseAnswered& event);
    void on(const LeaseFailed& event);
    void on(const CheckpointWritten& event);
    void on(const CheckpointFailed& event);
    void on(const RepairAsked& event);
    void on(const JournalWritten& event);
    void on(const BulkAnswered& event);
    void on(const BulkFailed& event);
    void on(const TimerFired& event);
    void on(const RetryAsked& event);
    void on(const DropAsked& event);
    void on(const StopAsked& event);

    // pipeline.cc: the course of things
    void advance();
    void prepare();
    void work();
    bool at_rest() const;
    void finish_if_done();
    void finish(std::optional<Error> error);
    void write_changes();

    // pipeline_recovery.cc: what the last process left, and what follows
    RecoveryFacts recovery_facts() const;
    TargetFact target_fact() const;
    SourceFact source_fact() const;
    FillFact fill_fact() const;
    void recover();
    void start_over(const RecoveryRow& row);
    void take_up_memory(journal::BeginPipeline& change) const;
    void begin_fill(journal::BeginPipeline& change) const;
    Revision end_of_outbox() const;
    void recover_anew();
    void go_on();
    void refuse(const RecoveryRow& row);
    void look_for_quarantined_rows();
    void forget_work();

    // pipeline_lease.cc: who feeds the pipeline
    void keep_lease();
    void begin_anew();
    void stand_by(const Lease& lease);

    // pipeline_history.cc: whether the history is still the one that it was
    void look_up_if_due();
    std::optional<journal::Anchor> anchor_of_end() const;
    HistoryQuestion history_question() const;
    void regress(TargetFact target, const std::string& why);
    void follow_shape(const HistoryQuestion& question, const LookUpAnswer& answer);
    void tell_new_shape();
    void doubt_again();
    void settle_doubts(const std::vector<Doubt>& doubts, const LookUpAnswer& answer);

    // pipeline_memory.cc: what the index remembers
    void look_after_memory();
    MemoryFact memory_fact() const;
    bool may_lack_deleted_rows(const Remembered& remembered) const;
    Remembered checkpoint() const;
    bool write_checkpoint_if_worth();
    bool waits_for_claim();
    bool remembers_before_finish();

    // pipeline_batches.cc: from a page to COMMITTED
    void take_kept_page();
    void begin_read();
    bool is_of_another_history(const Reading::Asked& asked, const Page& page);
    void limit_to_fill_proof(Reading::Asked& asked);
    void take_page(const Reading::Asked& asked, const std::shared_ptr<const Page>& page);
    void leave_to_newer(BatchId batch, std::vector<Row>& actions) const;
    void open_batch(const Reading::Asked& asked, const std::shared_ptr<const Page>& page);
    void note_filled(const Reading::Asked& asked, const Page& page);
    void note_anchor(const Page& page);
    std::optional<journal::Anchor> newest_anchor() const;
    void note_rows_ahead(const std::vector<Row>& actions);
    void begin_sends();
    TimeMs stale_after() const;
    bool refresh_if_stale(BatchWork& work);
    void settle(const InFlight& sent, const std::vector<ItemResult>& items);
    void doubt(BatchId batch, const std::vector<BatchWork::Doubted>& doubted);
    void resend(InFlight sent, const Error& error);
    void lose_target(const Error& error);
    void shrink_requests(std::size_t failed_actions);
    void grow_requests();
    void apply_if_acknowledged(BatchId batch);

    // pipeline_gaps.cc: which missing revisions are dead
    struct Dead {
        IntervalSet revisions;
        IntervalSet unproven;  // of them
    };
    bool waits_for_proof();
    Dead dead_among(const Reading::Asked& asked, const Page& page) const;
    void close_gaps(const Dead& dead);

    // pipeline_outbox.cc: what becomes of rows of an outbox
    void clean_up_if_due();
    void renew(BatchId batch, std::uint32_t place);
    bool writes_rows_for(BatchId batch, std::vector<journal::QuarantineEntry>& rejected);
    void forget_committed();

    // pipeline_trouble.cc: what does not work, and who hears of it
    void trouble(Lane lane, const Error& error);
    void success(Lane lane);
    void stop_for_good(journal::Condition condition, const Error& error);
    void stop_by(const RecoveryRow& row, journal::Condition condition, const Error& error,
                 const std::string& incident);
    void tell(Severity severity, std::string text, std::string advice = {});
    void tell_source_warnings();
    void tell_quarantined(const std::vector<journal::QuarantineEntry>& entries);
    void tell_now_and_then(const Error& error);

    bool ready() const { return source_ && target_; }
    bool has_outbox() const { return settings_.source.mode == journal::SourceMode::outbox; }

    PipelineSettings settings_;
    Ledger ledger_;
    Reading reading_;
    GapClosing gap_closing_;
    Trouble trouble_;
    std::map<BatchId, BatchWork> works_;  // of open batches; APPLIED ones stay until their COMMITTED

    TimeMs now_ = 0;
    std::vector<Effect> effects_;  // of the step at hand
    Changes changes_;              // likewise; one WriteJournal at its end

    LeaseKeeping lease_;
    std::optional<SourceFacts> source_;
    std::vector<std::string> source_warnings_told_;
    std::optional<TargetFacts> target_;

    struct HistoryVerdict {
        std::optional<std::string> went_back;  // why it is thought so
        LookUpAnswer answer;
    };
    std::optional<HistoryVerdict> history_;  // at start; empty: not known yet
    HistoryQuestion question_;               // of the look-up that is under way
    std::vector<Doubt> doubts_;              // to be asked about; as many as requests in flight have actions
    Remembered telling_;                     // by the checkpoint that is under way

    std::optional<Reading::Asked> read_asked_;
    std::optional<PageRead> page_kept_;      // its answer, until the lease is confirmed again
    std::optional<journal::Anchor> anchor_;  // of the newest row that was read
    std::optional<Revision> fill_proof_;     // what was proven before the fill's first read
    std::optional<Filled> filled_;           // empty: not all that was sent is the fill's
    CleaningUp clean_up_;                    // outbox mode
    std::map<RequestId, InFlight> in_flight_;
    RequestId last_request_ = 0;
    std::size_t request_actions_max_;  // shrinks on 413 and 429, grows back

    std::uint64_t last_ticket_ = 0;                   // of WriteJournal
    std::uint64_t written_ticket_ = 0;                // all up to here is on disk
    std::map<BatchId, std::uint64_t> intent_ticket_;  // not to be sent before this ticket is written

    struct Told {
        TimeMs at = 0;
        std::string text;
    };
    std::map<ErrorKind, Told> told_;      // the last notice about each kind of trouble
    std::uint64_t unproven_to_tell_ = 0;  // revisions that were given up since the last notice about them
    std::optional<TimeMs> unproven_told_at_;

    // Who has been asked, and what is due. Together, since each is but a byte or two.
    std::uint32_t requests_since_shrink_ = 0;
    Errand source_asked_;
    Errand target_asked_;
    Errand look_up_asked_;
    Errand checkpoint_asked_;
    bool recovered_ = false;
    bool target_due_ = false;      // to be asked for again, though it is known
    bool history_due_ = false;     // it may have changed since
    bool memory_due_ = false;      // both servers are to be asked whether they are what they were
    bool polling_ = false;         // the poll timer runs: the tail is left alone until then
    bool trouble_told_ = false;    // about the trouble at hand
    bool claimed_ = true;          // outbox mode: the index has been told that this pawl has taken it up
    bool told_at_finish_ = false;  // the index has been told, or could not be
    bool stopping_ = false;
    bool finished_ = false;
};

}  // namespace pawl::engine
