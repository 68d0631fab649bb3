// What run, sync and recover share: config, log, run_daemon, and what they say of how it went.
#pragma once

#include <string>

#include "cli/io.h"
#include "engine/pipeline.h"
#include "ops/daemon.h"

namespace pawl::cli {

// Loads the config, tells its warnings to the log, and runs. The errors are those of both.
Result<ops::DaemonReport> run_configured(const std::string& config_file, engine::Until until,
                                         bool discard_journal = false);

// Prints the pipelines' errors; the exit code of the first one, or 0.
int report_pipelines(const ops::DaemonReport& report, Io& io);

// "lex: caught up at revision 117, 3 entities in quarantine": docs/cli-json.md, "sync", is the JSON form.
std::string sync_text(const ops::DaemonReport& report);
std::string sync_json(const ops::DaemonReport& report);

// What was found and done, batch by batch; docs/cli-json.md, "recover", is the JSON form.
std::string recover_text(const ops::DaemonReport& report);
std::string recover_json(const ops::DaemonReport& report);

}  // namespace pawl::cli
