// Heals what a verification has found: `pawl verify --repair`.
#pragma once

#include "base/error.h"
#include "ops/log.h"
#include "ops/stop_signal.h"
#include "ops/verification.h"

namespace pawl::ops {

// What has a row is sent again through the ordinary batch path, journaled and versioned: by the daemon that
// has the journal open, which is asked by a request file, or by a daemon that runs here until it has caught
// up with the pipeline. What has none is taken out, if it is still what was seen. Then both sides are looked
// at again until they agree, at most limits::repair_wait_ms; what agrees is marked as healed. Errors: what
// kept it from healing or looking; `stop` ends it.
Result<void> repair(Verification& verification, StopSignal& stop, Log& log);

}  // namespace pawl::ops
