// What the last verification of a pipeline that nobody asked for has shown (a daemon's own, or the one after
// an adoption), for `pawl status`; and the note that one is due since an index was adopted. Files in
// <journal>/verified/: nothing that pawl does depends on them, so that one that is lost, or cannot be used,
// is as good as none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/request.h"
#include "ops/verification.h"

namespace pawl::ops {

struct VerifyRecord {
    TimeMs at = 0;           // when it ended
    std::string error = {};  // why there was no verification; then nothing below means anything
    std::string index = {};
    engine::Revision revision = 0;
    std::uint64_t entities = 0;
    std::uint64_t documents = 0;
    std::uint64_t quarantined = 0;
    std::uint64_t unsettled = 0;
    std::map<std::string, std::uint64_t> differences = {};  // by kind; of all kinds
    bool more_differences = false;                          // than are counted
    TimeMs took_ms = 0;
    bool operator==(const VerifyRecord&) const = default;

    bool equal() const;
};

VerifyRecord record_of(const VerifyReport& report, TimeMs at);

// "3 missing, 1 stale"
std::string counts_text(const VerifyRecord& record);

// Takes the place of the one before.
Result<void> keep_record(const std::filesystem::path& journal, const std::string& pipeline,
                         const VerifyRecord& record);
std::optional<VerifyRecord> read_record(const std::filesystem::path& journal, const std::string& pipeline);

// An index that pawl did not make is gone over: when the watermark has come to `through` it can be told which
// of its documents the history does not know.
Result<void> note_adoption(const std::filesystem::path& journal, const std::string& pipeline,
                           engine::Revision through);
std::optional<engine::Revision> noted_adoption(const std::filesystem::path& journal,
                                               const std::string& pipeline);
void forget_adoption(const std::filesystem::path& journal, const std::string& pipeline);

}  // namespace pawl::ops
