// `pawl rebuild`: a new index is filled beside the live one and takes its place in one step.
//
//   fill (tuned settings) → own settings back, flushed → count → catch up → swap the aliases → catch up →
//   done
//
// The count: as many documents as the fill has read living entities, and the same sum of versions (where the
// server sums them). Where it does not agree or cannot be had (the fill was interrupted, documents were
// rejected, rows came late), every entity is compared with the history, as with `compare_all`.
//
// Feeding is the engine's: the new index is a pipeline of its own, with a journal in a folder of its own
// (ops/rebuild_folder.h) and an alias of its own, whose lease keeps a second rebuild of it away. The live
// pipeline is not touched; a daemon goes on feeding the old index, sees that the alias has moved, and rolls
// forward from what the new index remembers. Killed anywhere, the next call goes on from there: what to do is
// read from the aliases and the folder (ops/rebuild_plan.h).
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "config/config.h"
#include "ops/log.h"
#include "ops/rebuild_plan.h"
#include "ops/stop_signal.h"

namespace pawl::ops {

struct RebuildOptions {
    bool drop_old = false;
    bool compare_all = false;        // every entity with the history, also where the count agrees
    std::uint32_t rejected_max = 0;  // documents that the new index refuses; more stop the rebuild
};

// What a rebuild would do now.
struct RebuildOutlook {
    RebuildStep step = RebuildStep::begin;
    std::string live_index;
    std::uint64_t live_documents = 0;
    std::string fresh_index = {};  // empty: it will be made
};

struct RebuildReport {
    bool stopped_by_signal = false;  // the next call goes on
    RebuildStep step = RebuildStep::begin;
    std::string old_index;  // empty where an earlier call has swapped the aliases
    std::string new_index;
    bool dropped_old = false;
    std::uint64_t documents = 0;  // in the new index
    std::size_t rejected = 0;
    TimeMs took_ms = 0;  // this call
};

// `pipeline` must be one of the config's. Errors, each with what to do: no index is behind the alias or none
// can be made (invalid); the alias was moved meanwhile, more documents than `rejected_max` were refused, the
// new index does not hold what the history holds, another rebuild is under way (decision); those of the
// servers and the journal. Before the aliases are swapped the live index is untouched then. Progress goes to
// the log.
Result<RebuildReport> rebuild(const config::Config& config, const config::Pipeline& pipeline,
                              const RebuildOptions& options, StopSignal& stop, Log& log);

// Changes nothing.
Result<RebuildOutlook> look_at_rebuild(const config::Config& config, const config::Pipeline& pipeline);

// Gives a rebuild up: deletes the half-filled index, if there is one, and the folder. Empty: there was no
// index. Error, kind decision: the aliases are swapped already, or it is running.
Result<std::string> abort_rebuild(const config::Config& config, const config::Pipeline& pipeline);

}  // namespace pawl::ops
