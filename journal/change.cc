#include "journal/change.h"

#include <array>

#include "base/assert.h"

namespace pawl::journal {
namespace {

// In the variant's order.
constexpr std::array<std::string_view, std::variant_size_v<Change>> names{
    "begin_pipeline",    "open_batch",    "apply_batch",      "commit_batches",
    "close_gaps",        "set_condition", "retry_quarantine", "drop_quarantine",
    "record_checkpoint", "set_shape",     "note_incident",
};

}  // namespace

std::string_view name_of(const Change& change) {
    PAWL_ASSERT(change.index() < names.size());
    return names[change.index()];
}

std::vector<std::string_view> change_names() {
    return {names.begin(), names.end()};
}

}  // namespace pawl::journal
