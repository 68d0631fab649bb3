#include <cerrno>
#include <csignal>
#include <iostream>
#include <string>
#include <system_error>

#include "cli/command.h"

int main(int count, char** words) {
    // A reader that goes away ends a write with EPIPE; it must not end a daemon.
    std::signal(SIGPIPE, SIG_IGN);
    std::ios::sync_with_stdio(false);
    pawl::cli::Io io{std::cout, std::cerr};
    const int code = pawl::cli::run_command_line({words + 1, words + count}, io);
    errno = 0;
    std::cout.flush();
    if (std::cout.good() || errno == EPIPE || errno == 0) return code;
    return pawl::cli::report(
        io, {pawl::ErrorKind::invalid, "cannot write to stdout: " + std::generic_category().message(errno),
             "make room there"});
}
