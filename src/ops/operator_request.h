// How `pawl quarantine` reaches a running daemon, which alone may write the journal: a file in
// <journal>/requests/, which the daemon takes in and removes. The folder is 0700 like the journal's.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pawl::ops {

struct OperatorRequest {
    enum class Ask { retry_quarantine, drop_quarantine };
    Ask ask = Ask::retry_quarantine;
    std::string pipeline;
    std::vector<std::string> entities;  // valid UTF-8; empty: all
};

// On return the file is there, whole; the daemon sees it within limits::loop_wait_ms.
Result<void> leave(const std::filesystem::path& journal, const OperatorRequest& request);

// All requests that are there, oldest first, with their files removed. A file that cannot be read or
// understood is set aside as <name>.bad and reported through `problems`. Requests are lost when the process
// dies right after: the operator sees with `pawl quarantine list` that nothing has happened.
std::vector<OperatorRequest> take_requests(const std::filesystem::path& journal,
                                           std::vector<Error>& problems);

}  // namespace pawl::ops
