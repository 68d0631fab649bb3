// Single documents as they are at this moment: what a scan has found, looked at exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/request.h"
#include "index/server.h"

namespace pawl::index {

struct DocumentNow {
    engine::Revision version = 0;
    // Which write made it what it is; for remove_document.
    std::uint64_t seq_no = 0;
    std::uint64_t primary_term = 0;
    std::string source = {};  // the JSON object; empty when it was not asked for
};

// Realtime: what has been acknowledged is seen, refreshed or not. In the order asked; empty: there is no such
// document. At most limits::documents_got_max ids, of 1 … 512 bytes.
Result<std::vector<std::optional<DocumentNow>>> get_documents(const Call& call, const std::string& index,
                                                              std::span<const std::string> ids,
                                                              bool with_source);

// Takes the document out if it is still the one that was seen. False: it has changed since, or is gone.
Result<bool> remove_document(const Call& call, const std::string& index, const std::string& id,
                             const DocumentNow& seen);

}  // namespace pawl::index
