// What run, sync and recover share: config, log, run_daemon, and what they say of how it went.
#pragma once

#include <memory>
#include <string>

#include "cli/io.h"
#include "engine/pipeline.h"
#include "ops/daemon.h"

namespace pawl::cli {

// The config, and the log that it asks for, which has been told its warnings. For commands that run
// pipelines: crash points are armed. Errors are those of config::load.
struct Configured {
    config::Config config;
    std::unique_ptr<ops::Log> log;
};
Result<Configured> load_configured(const std::string& config_file);

// Loads the config and runs until SIGTERM or SIGINT, or until it is done. The errors are those of both.
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
