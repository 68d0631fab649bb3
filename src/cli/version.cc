#include <ostream>

#include <fmt/core.h>

#include "base/failpoint.h"
#include "cli/arguments.h"
#include "cli/json.h"
#include "engine/runner.h"
#include "journal/format.h"

namespace pawl::cli {
namespace {

std::vector<std::string> crash_points() {
    return failpoint::compiled_in ? engine::crash_points() : std::vector<std::string>{};
}

int run(const Words& words, Io& io) {
    bool json = false;
    bool failpoints = false;
    Arguments arguments(version_command);
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    arguments.flag("--failpoints", failpoints, "list the crash points of a test build");
    if (const auto code = arguments.parse(words, io)) return *code;

    if (json) {
        io.out << to_line(Json{{"version", PAWL_VERSION},
                               {"journal_format", journal::format::version},
                               {"failpoints", crash_points()}});
        return exit_code::done;
    }
    if (failpoints && !failpoint::compiled_in) {
        io.err << "this build has no crash points\n";
    } else if (failpoints) {
        for (const std::string& point : crash_points())
            io.out << point << '\n';
    } else {
        io.out << fmt::format("pawl {}, journal format {}{}\n", PAWL_VERSION, journal::format::version,
                              failpoint::compiled_in ? ", test build with crash points" : "");
    }
    return exit_code::done;
}

}  // namespace

const Command version_command{"version", "Show pawl's version and its journal format's",
                              "pawl version --json", run};

}  // namespace pawl::cli
