// How `pawl quarantine` and `pawl verify --repair` reach a running daemon, which alone may write the journal:
// a file in <journal>/requests/, which the daemon removes once the journal has taken what it asks (a repair:
// once the engine has; what a crash then loses, the next verification finds again). The folder is 0700 like
// the journal's.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/interval_set.h"

namespace pawl::ops {

struct OperatorRequest {
    enum class Ask { retry_quarantine, drop_quarantine, repair };
    Ask ask = Ask::retry_quarantine;
    std::string pipeline;
    std::vector<std::string> entities = {};  // valid UTF-8; empty: all
    // Of a repair: a row of each entity whose latest row is to be sent again; not empty, at most
    // limits::repair_revisions_max.
    journal::IntervalSet revisions = {};
    std::filesystem::path file = {};  // where it waits, when it was read
};

// On return the file is there, whole; the daemon sees it within limits::loop_wait_ms.
Result<void> leave(const std::filesystem::path& journal, const OperatorRequest& request);

// All requests that wait, oldest first; limits::operator_requests_max of them at most. A file that cannot be
// read or understood is set aside as <name>.bad and reported through `problems`.
std::vector<OperatorRequest> waiting_requests(const std::filesystem::path& journal,
                                              std::vector<Error>& problems);

// What these ask is in the journal, or, of a repair, with the engine: their files go. Until then a crash
// loses none; after one between the journal's commit and this a request is carried out twice, which does no
// harm.
void remove_requests(const std::vector<std::filesystem::path>& files);

}  // namespace pawl::ops
