#include "tests/unit/base/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace pawl::test {

Ended run_in_child(const std::function<void()>& body) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no child");
    if (child == 0) {
        for (const int number : {SIGABRT, SIGSEGV, SIGTERM})
            std::signal(number, SIG_DFL);  // Catch2 catches them
        ::dup2(ends[1], STDERR_FILENO);
        body();
        ::_exit(0);
    }
    ::close(ends[1]);
    Ended ended;
    std::array<char, 512> buffer{};
    for (ssize_t bytes = 0; (bytes = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
        ended.stderr_text.append(buffer.data(), static_cast<std::size_t>(bytes));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ended.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return ended;
}

}  // namespace pawl::test
