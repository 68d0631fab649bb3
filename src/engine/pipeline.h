// The state machine of one pipeline: events in, effects out. No I/O, no clock, no thread, no random number.
//
//   prepare both servers → recover (engine/recovery.h) → read, journal INTENT, send, journal APPLIED and
//   COMMITTED
//
// What it remembers lies in five places: Ledger (what the journal says), BatchWork (what an open batch still
// needs), Reading (what is read next), GapClosing (which missing revisions are dead), Trouble (who waits for
// what after a failure).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/batch_work.h"
#include "engine/effect.h"
#include "engine/event.h"
#include "engine/gap_closing.h"
#include "engine/ledger.h"
#include "engine/limits.h"
#include "engine/reading.h"
#include "engine/trouble.h"

namespace pawl::engine {

// When a pipeline has done its work.
enum class Until : std::uint8_t {
    stopped,    // `run`: when it is told to stop
    caught_up,  // `sync`: when the index holds all that the history held
    recovered,  // `recover`: when no batch is open any more
};

struct PipelineSettings {
    std::string name;
    journal::SourceIdentity source;
    Limits limits;
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
    void recover();
    void start_over(Decision decision);
    void finish_if_done();
    void finish(std::optional<Error> error);
    void write_changes();

    // pipeline_batches.cc: from a page to COMMITTED
    void begin_read();
    void take_page(const Reading::Asked& asked, const std::shared_ptr<const Page>& page);
    void open_batch(const Reading::Asked& asked, const std::shared_ptr<const Page>& page);
    void note_rows_ahead(const std::vector<Row>& actions);
    void begin_sends();
    bool refresh_if_stale(BatchWork& work);
    void settle(const InFlight& sent, const std::vector<ItemResult>& items);
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

    // pipeline_trouble.cc: what does not work, and who hears of it
    void trouble(Lane lane, const Error& error);
    void success(Lane lane);
    void stop_for_good(journal::Condition condition, const Error& error);
    void tell(Severity severity, std::string text, std::string advice = {});
    void tell_quarantined(const std::vector<journal::QuarantineEntry>& entries);
    void tell_now_and_then(const Error& error);

    bool ready() const { return source_ && target_; }

    PipelineSettings settings_;
    Ledger ledger_;
    Reading reading_;
    GapClosing gap_closing_;
    Trouble trouble_;
    std::map<BatchId, BatchWork> works_;  // of open batches; APPLIED ones stay until their COMMITTED

    TimeMs now_ = 0;
    std::vector<Effect> effects_;  // of the step at hand
    Changes changes_;              // likewise; one WriteJournal at its end

    std::optional<SourceFacts> source_;
    std::optional<TargetFacts> target_;
    bool source_asked_ = false;
    bool target_asked_ = false;
    bool recovered_ = false;

    std::optional<Reading::Asked> read_asked_;
    bool polling_ = false;  // the poll timer runs: the tail is left alone until then
    std::map<RequestId, InFlight> in_flight_;
    RequestId last_request_ = 0;
    std::size_t request_actions_max_;  // shrinks on 413 and 429, grows back
    std::uint32_t requests_since_shrink_ = 0;

    std::uint64_t last_ticket_ = 0;                   // of WriteJournal
    std::uint64_t written_ticket_ = 0;                // all up to here is on disk
    std::map<BatchId, std::uint64_t> intent_ticket_;  // not to be sent before this ticket is written

    struct Told {
        TimeMs at = 0;
        std::string text;
    };
    std::map<ErrorKind, Told> told_;  // the last notice about each kind of trouble
    bool trouble_told_ = false;       // about the trouble at hand

    std::uint64_t unproven_to_tell_ = 0;  // revisions that were given up since the last notice about them
    std::optional<TimeMs> unproven_told_at_;

    bool stopping_ = false;
    bool finished_ = false;
};

}  // namespace pawl::engine
