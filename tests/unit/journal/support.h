// What the journal's tests share: folders that go away, children that may die, and records to write.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "journal/change.h"
#include "journal/reader.h"
#include "journal/record.h"
#include "journal/writer.h"

namespace pawl::journal::test {

// A folder of its own under the system's temporary one, removed with all its contents.
class TemporaryFolder {
  public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path journal() const { return path_ / "journal"; }

  private:
    std::filesystem::path path_;
};

// How a child ended: its exit code, or minus the signal that killed it.
// Runs `body` in a forked child; its return value is the exit code. stderr goes to /dev/null.
int in_child(const std::function<int()>& body);

// True when the body dies by SIGABRT.
bool aborts(const std::function<void()>& body);

std::string read_bytes(const std::filesystem::path& file);
void write_bytes(const std::filesystem::path& file, const std::string& bytes);

BeginPipeline begin_of(const std::string& pipeline, Revision high = 0);
// A batch of the revisions first … last, one action each.
OpenBatch open_of(const std::string& pipeline, BatchId id, Revision first, Revision last);
ApplyBatch apply_of(const OpenBatch& open);
CommitBatches commit_of(const OpenBatch& open);
QuarantineEntry entry_of(const std::string& pipeline, const std::string& entity, Revision revision);

// A journal with two pipelines, open and committed batches, gaps and quarantine; enough for several pages a
// table.
std::vector<Change> sample_changes();

bool equal(const PipelineSnapshot& left, const PipelineSnapshot& right);
bool equal(const std::vector<PipelineSnapshot>& left, const std::vector<PipelineSnapshot>& right);

}  // namespace pawl::journal::test
