#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace pawl {

void assertion_failed(const char* expression, const char* file, int line) {
    std::fprintf(stderr, "pawl: bug: assertion failed: %s (%s:%d). Please report it with the log.\n",
                 expression, file, line);
    std::abort();
}

}  // namespace pawl
