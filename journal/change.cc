#include "journal/change.h"

namespace pawl::journal {
namespace {

struct Name {
    std::string_view operator()(const BeginPipeline&) const { return "begin_pipeline"; }
    std::string_view operator()(const OpenBatch&) const { return "open_batch"; }
    std::string_view operator()(const ApplyBatch&) const { return "apply_batch"; }
    std::string_view operator()(const CommitBatches&) const { return "commit_batches"; }
    std::string_view operator()(const CloseGaps&) const { return "close_gaps"; }
    std::string_view operator()(const SetCondition&) const { return "set_condition"; }
    std::string_view operator()(const RetryQuarantine&) const { return "retry_quarantine"; }
    std::string_view operator()(const DropQuarantine&) const { return "drop_quarantine"; }
};

}  // namespace

std::string_view name_of(const Change& change) {
    return std::visit(Name{}, change);
}

}  // namespace pawl::journal
