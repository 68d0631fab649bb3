// Assertions that stay on in release builds. For what must be true because pawl made it so; never for what a
// server, a file or a user says: that is an Error.
#pragma once

namespace pawl {

// Prints the expression and its place to stderr and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace pawl

#define PAWL_ASSERT(expression) \
    ((expression) ? static_cast<void>(0) : ::pawl::assertion_failed(#expression, __FILE_NAME__, __LINE__))
