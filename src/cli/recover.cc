#include <ostream>

#include "cli/arguments.h"
#include "cli/daemon_run.h"

namespace pawl::cli {
namespace {

int run_recover(const Words& words, Io& io) {
    bool json = false;
    bool discard = false;
    std::string config_file;
    Arguments arguments(recover_command);
    arguments.config_file(config_file);
    arguments.flag("--discard-journal", discard,
                   "set the journal aside, damaged or not, and begin anew from what each index remembers");
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    if (const auto code = arguments.parse(words, io)) return *code;

    const auto daemon = run_configured(config_file, engine::Until::recovered, discard);
    if (!daemon) return report(io, daemon.error());
    io.out << (json ? recover_json(*daemon) : recover_text(*daemon));
    return report_pipelines(*daemon, io);
}

}  // namespace

const Command recover_command{"recover", "Repair what a crash left open, say what was done, and end",
                              "pawl recover --config /etc/pawl/pawl.toml", run_recover};

}  // namespace pawl::cli
