// The table of commands, and which one was meant.
#include <algorithm>
#include <array>
#include <ostream>

#include <fmt/core.h>

#include "cli/command.h"
#include "config/values.h"

namespace pawl::cli {
namespace {

constexpr std::array<const Command*, 12> table{
    &run_command,   &sync_command,       &recover_command, &status_command,
    &dump_command,  &quarantine_command, &verify_command,  &rebuild_command,
    &check_command, &init_command,       &version_command, &outbox_sql_command,
};

void print_help(std::ostream& out) {
    out << "pawl keeps an Elasticsearch or OpenSearch index in step with a MariaDB history, through any "
           "crash.\n\n"
           "Usage: pawl COMMAND [OPTIONS]\n\nCommands:\n";
    for (const Command* command : table)
        out << fmt::format("  {:<12}{}\n", command->name, command->summary);
    out << "\n`pawl COMMAND --help` shows a command's options and an example.\n"
           "Exit codes: 0 done, 1 found something (check, verify, a damaged journal), 2 wrong usage or "
           "config,\n"
           "3 a server cannot be reached, 4 stopped for a person to decide.\n";
}

}  // namespace

std::span<const Command* const> all_commands() {
    return table;
}

int run_command_line(const Words& words, Io& io) {
    if (words.empty()) {
        print_help(io.err);
        return exit_code::wrong_usage;
    }
    const std::string& name = words.front();
    if (name == "--help" || name == "-h" || name == "help") {
        print_help(io.out);
        return exit_code::done;
    }
    const Words rest(words.begin() + 1, words.end());
    if (name == "--version") return version_command.run(rest, io);
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const Command* each) { return each->name == name; });
    if (found != table.end()) return (*found)->run(rest, io);

    std::vector<std::string> names;
    names.reserve(table.size());
    for (const Command* command : table)
        names.emplace_back(command->name);
    const std::string meant = config::nearest(name, names);
    return report_usage(io,
                        fmt::format("there is no command \"{}\"{}", name,
                                    meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant)),
                        "");
}

}  // namespace pawl::cli
