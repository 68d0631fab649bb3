#include <ostream>

#include <fmt/core.h>

#include "base/failpoint.h"
#include "cli/arguments.h"
#include "cli/json.h"
#include "journal/format.h"
#include "ops/crash_points.h"

namespace pawl::cli {
namespace {

int run_version(const Words& words, Io& io) {
    bool json = false;
    bool failpoints = false;
    Arguments arguments(version_command);
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    arguments.flag("--failpoints", failpoints, "list the crash points of a test build");
    if (const auto code = arguments.parse(words, io)) return *code;

    if (json) {
        io.out << to_line(Json{{"version", PAWL_VERSION},
                               {"journal_format", journal::format::version},
                               {"failpoints", ops::crash_points()}});
        return exit_code::done;
    }
    if (failpoints && !failpoint::compiled_in) {
        io.err << "this build has no crash points\n";
    } else if (failpoints) {
        for (const std::string& point : ops::crash_points())
            io.out << point << '\n';
    } else {
        io.out << fmt::format("pawl {}, journal format {}{}\n", PAWL_VERSION, journal::format::version,
                              failpoint::compiled_in ? ", test build with crash points" : "");
    }
    return exit_code::done;
}

}  // namespace

const Command version_command{"version", "Show pawl's version and its journal format's",
                              "pawl version --json", run_version};

}  // namespace pawl::cli
