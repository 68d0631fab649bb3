// How `pawl quarantine` reaches a running daemon, which alone may write the journal: a file in
// <journal>/requests/, which the daemon removes once the journal has taken what it asks. The folder is 0700
// like the journal's.
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
    std::filesystem::path file = {};    // where it waits, when it was read
};

// On return the file is there, whole; the daemon sees it within limits::loop_wait_ms.
Result<void> leave(const std::filesystem::path& journal, const OperatorRequest& request);

// All requests that wait, oldest first; limits::operator_requests_max of them at most. A file that cannot be
// read or understood is set aside as <name>.bad and reported through `problems`.
std::vector<OperatorRequest> waiting_requests(const std::filesystem::path& journal,
                                              std::vector<Error>& problems);

// What these ask is in the journal: their files go. Until then a crash loses none; after one between the
// journal's commit and this a request is carried out twice, which does no harm.
void remove_requests(const std::vector<std::filesystem::path>& files);

}  // namespace pawl::ops
