// Where a rebuild keeps its journal: <journal>/rebuild/<pipeline>/<digest of the config>/. It is a journal
// like any other (`pawl dump --journal` shows it), and it goes when the rebuild is over.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "journal/lock.h"
#include "ops/rebuild_plan.h"

namespace pawl::ops {

class RebuildFolder {
  public:
    // Makes what is above the journal, 0700, and takes the pipeline's lock: one rebuild of it at a time on
    // this machine. The digest is of all in the config that decides what a document becomes: table, columns,
    // fields and `create`. Errors: another rebuild is at work (decision); storage.
    static Result<RebuildFolder> take(const config::Config& config, const config::Pipeline& pipeline);

    // Of the journal, which makes it.
    const std::filesystem::path& journal() const { return journal_; }
    // Error, kind storage.
    Result<RebuildFolderFact> look() const;
    // Columns may have changed between two calls, or two feeds: then some documents have the old shape.
    // Error, kind decision.
    Result<void> is_of_one_shape() const;
    // Removes the journal, and those of other configs of this pipeline. Error, kind storage.
    Result<void> clear() const;

  private:
    RebuildFolder(std::filesystem::path journal, journal::WriterLock lock)
        : journal_(std::move(journal)), lock_(std::move(lock)) {}
    Result<std::vector<std::filesystem::path>> all() const;

    std::filesystem::path journal_;
    journal::WriterLock lock_;
};

// The same without taking anything, for one who only looks.
Result<RebuildFolderFact> look_at_rebuild_folder(const config::Config& config,
                                                 const config::Pipeline& pipeline);

}  // namespace pawl::ops
