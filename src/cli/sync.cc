#include <ostream>

#include "cli/arguments.h"
#include "cli/daemon_run.h"

namespace pawl::cli {
namespace {

int run_sync(const Words& words, Io& io) {
    bool json = false;
    std::string config_file;
    Arguments arguments(sync_command);
    arguments.config_file(config_file);
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    if (const auto code = arguments.parse(words, io)) return *code;

    const auto daemon = run_configured(config_file, engine::Until::caught_up);
    if (!daemon) return report(io, daemon.error());
    io.out << (json ? sync_json(*daemon) : sync_text(*daemon));
    return report_pipelines(*daemon, io);
}

}  // namespace

const Command sync_command{"sync", "Catch up once with the history and end",
                           "pawl sync --config /etc/pawl/pawl.toml", run_sync};

}  // namespace pawl::cli
