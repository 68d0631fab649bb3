#include "cli/io.h"

#include <ostream>

#include <fmt/core.h>

namespace pawl::cli {
namespace {

// Control characters of a server's words must not steer the terminal; a line stays a line.
std::string without_controls(std::string_view text) {
    std::string clean(text);
    for (char& byte : clean)
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = ' ';
    return clean;
}

}  // namespace

int report(Io& io, const Error& error) {
    io.err << "pawl: " << without_controls(error.message) << '\n';
    if (!error.advice.empty()) io.err << "  Try: " << without_controls(error.advice) << '\n';
    return exit_code_of(error.kind);
}

int report_usage(Io& io, std::string_view message, std::string_view command) {
    return report(io, {ErrorKind::invalid, std::string(message),
                       fmt::format("pawl {}{}--help", command, command.empty() ? "" : " ")});
}

}  // namespace pawl::cli
