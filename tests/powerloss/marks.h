// What a workload says beside its journal, a line each; the trace has them in their place among the writes.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/core.h>

namespace pawl::powerloss {

// "try 17 0123456789abcdef": transaction 17 begins to commit, and makes this state.
inline std::string try_mark(std::uint64_t number, std::uint64_t digest) {
    return fmt::format("try {} {:016x}\n", number, digest);
}
// "ack 17": the commit has returned.
inline std::string ack_mark(std::uint64_t number) {
    return fmt::format("ack {}\n", number);
}
// "shown 0123456789abcdef": a writer has been opened and has shown this state.
inline std::string shown_mark(std::uint64_t digest) {
    return fmt::format("shown {:016x}\n", digest);
}

}  // namespace pawl::powerloss
