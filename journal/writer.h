// The one writer of a journal folder. Owns the lock that keeps a second pawl out.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "journal/change.h"
#include "journal/limits.h"
#include "journal/record.h"

namespace pawl::journal {

struct WriterOptions {
    std::uint64_t map_bytes_max = limits::map_bytes_max;
};

// One thread at a time. Not copyable; movable.
class Writer {
  public:
    // Makes the folder (0700) and the files (0600) when they are missing; checks the file before LMDB maps
    // it. Errors, all of kind storage unless said: the folder cannot be made or written; another pawl holds
    // the lock (kind decision, names its pid); the format is newer (names both numbers); the file is damaged
    // or cut short (nothing is changed then).
    static Result<Writer> open(const std::filesystem::path& folder, const WriterOptions& options = {});

    Writer(Writer&&) noexcept;
    Writer& operator=(Writer&&) noexcept;
    ~Writer();

    // Carries out the changes in order, all or none, in one LMDB transaction. On success they are on disk
    // (fdatasync has returned). Committed batches beyond limits::committed_kept_max go in the same
    // transaction. The map grows by itself up to map_bytes_max. Errors, kind storage: full map, full disk,
    // I/O error, a record that no longer decodes. After an error nothing of this call is in the journal, and
    // the writer refuses further commits: a failed fsync cannot be trusted to be repeated.
    Result<void> commit(std::span<const Change> changes);

    // What an operator should hear about the folder: others may read or replace files in it. Set by open.
    const std::vector<std::string>& warnings() const;

    // What the journal knows; empty when the pipeline is unknown. A damaged record is an error here: a daemon
    // must not guess.
    Result<std::vector<PipelineSnapshot>> read() const;

  private:
    struct Impl;
    explicit Writer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace pawl::journal
