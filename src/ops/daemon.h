// Runs the pipelines of a config: `pawl run`, `sync` and `recover`, and what `rebuild` needs of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "engine/effect.h"
#include "engine/pipeline.h"
#include "journal/set_aside.h"
#include "ops/log.h"
#include "ops/stop_signal.h"

namespace pawl::ops {

// How a pipeline ended.
struct PipelineReport {
    std::string name;
    std::vector<engine::RecoveryStep> recovery;  // what was found at start, batch by batch
    std::optional<Error> error;                  // why it stopped before its time
    journal::Revision high = 0;
    journal::Revision watermark = 0;
    std::uint64_t missing_revisions = 0;  // in gaps: not committed yet, or rolled back
    std::size_t quarantined = 0;
    std::optional<engine::Filled> filled = {};  // see engine::Pipeline::filled
    std::size_t open_batches = 0;               // left in INTENT or APPLIED; the next start repairs them
};

struct DaemonReport {
    std::vector<PipelineReport> pipelines;  // in the config's order
    bool stopped_by_signal = false;
    std::optional<journal::SetAside> discarded_journal;  // what lay in the journal's place before
};

struct DaemonOptions {
    engine::Until until = engine::Until::stopped;
    // An operator's word, see open_journal.
    bool discard_journal = false;
    // Begins the lines that tell how far a pipeline has come (ops/feed_progress.h).
    std::string doing = "catching up";
};

// Returns when all pipelines are done (engine::Until says when that is) or after `stop` is asked for: then
// what is in flight may finish, at most limits::stop_grace_ms. A pipeline that stops with an error does not
// stop the others. Errors: what keeps the daemon from starting (config, journal), or a journal that failed
// while running.
Result<DaemonReport> run_daemon(const config::Config& config, const DaemonOptions& options, StopSignal& stop,
                                Log& log);

}  // namespace pawl::ops
