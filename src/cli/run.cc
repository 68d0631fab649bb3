#include "cli/arguments.h"
#include "cli/daemon_run.h"

namespace pawl::cli {
namespace {

int keep_running(const Words& words, Io& io) {
    std::string config_file;
    Arguments arguments(run_command);
    arguments.config_file(config_file);
    if (const auto code = arguments.parse(words, io)) return *code;

    const auto daemon = run_configured(config_file, engine::Until::stopped);
    if (!daemon) return report(io, daemon.error());
    const int code = report_pipelines(*daemon, io);
    // Asked to stop, it stopped: what a server did meanwhile is in the log.
    return daemon->stopped_by_signal ? exit_code::done : code;
}

}  // namespace

const Command run_command{"run", "Keep the index in step until SIGTERM",
                          "pawl run --config /etc/pawl/pawl.toml", keep_running};

}  // namespace pawl::cli
