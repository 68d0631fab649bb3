// Where a command reads and writes: results to `out`, errors and logs to `err`.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pawl::cli {

namespace exit_code {
inline constexpr int done = 0;
inline constexpr int found_something = 1;
inline constexpr int wrong_usage = 2;
inline constexpr int unreachable = 3;
inline constexpr int stopped = 4;
}  // namespace exit_code

struct Io {
    std::ostream& out;
    std::ostream& err;
};

// "pawl: <message>" and "  Try: <advice>" to `err`. Returns the exit code of the error's kind.
int report(Io& io, const Error& error);

// A usage error of the command line: the same form, exit code 2.
int report_usage(Io& io, std::string_view message, std::string_view command);

}  // namespace pawl::cli
