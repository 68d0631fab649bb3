// Everything that a pipeline can ask for. A closed list; engine/runner.h carries effects out.
// Crash points are made from this list: the process can be killed before and after each kind.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "engine/event.h"
#include "engine/recovery.h"
#include "engine/request.h"
#include "journal/change.h"

namespace pawl::engine {

// Connect and check that the table can be read as configured. Answer: SourceReady or SourceFailed.
struct PrepareSource {};

// Find or create the index behind the alias. Answer: TargetReady or TargetFailed.
struct PrepareTarget {};

// Answer: PageRead or ReadFailed.
struct ReadPage {
    ReadRequest request;
};

// Look whether somebody is writing to the history: which missing revisions are dead. Never makes a writer
// wait. Answer: ProofAnswered or ProofFailed.
struct ProveGaps {};

// Outbox mode. Answer: CleanedUp or CleanUpFailed.
struct CleanUp {
    CleanUpRequest request;
};

// Answer: LookedUp or LookUpFailed.
struct LookUp {
    LookUpRequest request;
};

// Ask for the pipeline's lease, or whether it is still ours. Answer: LeaseAnswered or LeaseFailed, soon.
struct AskLease {};

// Let the index remember this, once all that it holds is durable. Answer: CheckpointWritten or
// CheckpointFailed.
struct WriteCheckpoint {
    Remembered remembered;
    std::string index_uuid;  // nothing is written into another index
};

// Answer: JournalWritten. A failure ends the whole daemon: nothing more is sent.
struct WriteJournal {
    std::uint64_t ticket = 0;
    std::vector<journal::Change> changes;
};

// Answer: BulkAnswered or BulkFailed.
struct SendBulk {
    BulkRequest request;
};

// Answer: TimerFired after a delay in [delay_min_ms, delay_max_ms], drawn by the runner (jitter). Setting a
// timer that is set replaces it.
struct SetTimer {
    Timer timer = Timer::poll;
    TimeMs delay_min_ms = 0;
    TimeMs delay_max_ms = 0;
};

enum class Severity : std::uint8_t { info, warning, error };

// What an operator should read; the engine has no log of its own.
struct Notice {
    Severity severity = Severity::info;
    std::string text;
    std::string advice = {};
};

// What recovery found at start and decided: one step per open batch, or one for the pipeline.
struct RecoveryStep {
    const RecoveryRow* row = nullptr;  // of the table; never null
    journal::BatchId batch = 0;        // 0: the pipeline as a whole
};
struct ReportRecovery {
    std::vector<RecoveryStep> steps;
};

// The pipeline is at rest and asks for nothing more. Without error: caught up (`sync`) or stopped as asked.
struct Finish {
    std::optional<Error> error;
};

using Effect =
    std::variant<AskLease, PrepareSource, PrepareTarget, ReadPage, ProveGaps, CleanUp, LookUp, WriteJournal,
                 SendBulk, WriteCheckpoint, SetTimer, Notice, ReportRecovery, Finish>;

// "prepare_source", "read_page", "write_journal", … : names crash points.
std::string_view name_of(const Effect& effect);
// The same names, of all effects, in the variant's order.
std::vector<std::string_view> effect_names();

}  // namespace pawl::engine
