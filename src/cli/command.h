// What a command is. Each stands in a file of its own; command_line.cc has the table of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/io.h"

namespace pawl::cli {

using Words = std::vector<std::string>;

struct Command {
    std::string_view name;
    std::string_view summary;
    std::string_view example;  // shown by its --help
    // `words`: what follows the command's name. Returns the exit code.
    int (*run)(const Words& words, Io& io);
};

extern const Command run_command;
extern const Command sync_command;
extern const Command recover_command;
extern const Command status_command;
extern const Command dump_command;
extern const Command quarantine_command;
extern const Command check_command;
extern const Command init_command;
extern const Command version_command;
extern const Command verify_command;
extern const Command rebuild_command;
extern const Command outbox_sql_command;

// All of them, in the order in which --help lists them.
std::span<const Command* const> all_commands();

// Finds the command that the first word names and runs it; --help and --version are understood.
int run_command_line(const Words& words, Io& io);

}  // namespace pawl::cli
