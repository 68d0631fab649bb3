// Verifications that nobody has asked for: of a daemon now and then, and after an adoption. They heal
// nothing.
#pragma once

#include "config/config.h"
#include "ops/log.h"
#include "ops/stop_signal.h"
#include "ops/verification.h"

namespace pawl::ops {

// An index was adopted (ops/verify_record.h) and all that the history held then is in it.
bool is_adoption_due(const config::Config& config, const config::Pipeline& pipeline);

// Compares by revision, or, in outbox mode, documents. What it finds, or why it cannot look, goes to the log
// and is kept as the pipeline's record; an adoption that waited for it is forgotten. None of that where the
// watcher has ended it.
void verify_unasked(const VerifyWorld& world, Log& log);

// All pipelines whose adoption is due, at full speed: for who does not wait for a daemon (`pawl sync`).
void verify_adopted(const config::Config& config, const StopSignal& stop, Log& log);

}  // namespace pawl::ops
