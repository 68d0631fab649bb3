// What the journal's tests share: folders that go away, children that may die, and records to write.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
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

// Runs `body` in a forked child, whose exit code is what it returns; stderr goes to /dev/null. Gives how the
// child ended: its exit code, or minus the signal that killed it.
int in_child(const std::function<int()>& body);

// True when the body dies by SIGABRT.
bool aborts(const std::function<void()>& body);

// A child that lives until this object goes; then it is killed.
class LiveProcess {
  public:
    // The child runs `prepare` and keeps what it gives; null means that it could not. Returns when it has.
    explicit LiveProcess(const std::function<std::shared_ptr<void>()>& prepare);
    ~LiveProcess();
    LiveProcess(const LiveProcess&) = delete;
    LiveProcess& operator=(const LiveProcess&) = delete;
    int pid() const { return pid_; }

  private:
    int pid_ = -1;
};

// Has the journal open, with these changes committed.
LiveProcess live_writer(const std::filesystem::path& folder, const std::vector<Change>& changes);

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
