#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "cli/command.h"

namespace {

// Whether stdout is a pipe that nobody reads any more: `pawl dump | head` is no error.
bool is_reader_gone() {
    pollfd output{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

int main(int count, char** words) {
    // A write to a reader that is gone must not end a daemon.
    std::signal(SIGPIPE, SIG_IGN);
    std::ios::sync_with_stdio(false);
    pawl::cli::Io io{std::cout, std::cerr};
    // A caller may leave out even the program's name.
    const pawl::cli::Words given(words + (count > 0 ? 1 : 0), words + count);
    const int code = pawl::cli::run_command_line(given, io);
    std::cout.flush();
    if (std::cout.good() || is_reader_gone()) return code;
    return pawl::cli::report(
        io, {pawl::ErrorKind::storage, "cannot write to stdout", "see that there is room where it goes"});
}
