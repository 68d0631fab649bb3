// The journal in memory: journal/transition.h's functions on records that are durable at commit and not
// before.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "engine/ports.h"
#include "journal/change.h"
#include "journal/record.h"

namespace pawl::simulation {

// Of one pipeline.
class SimJournal final : public engine::JournalPort {
  public:
    enum class Disk : std::uint8_t {
        takes,
        refuses,          // nothing is written
        takes_but_fails,  // it is on disk, and yet pawl is told that it is not
    };
    // Around a commit; may throw Crash.
    std::function<Disk(std::span<const journal::Change>)> before_commit = [](auto) { return Disk::takes; };
    std::function<void()> after_commit = [] {};
    // Another journal to write the changes to first; may throw Crash. None: this one is all there is.
    std::function<Result<void>(std::span<const journal::Change>)> beneath;

    Result<void> commit(std::span<const journal::Change> changes) override;

    // What the next process finds.
    const std::optional<journal::PipelineSnapshot>& durable() const { return durable_; }
    // What a power cut left: the next process finds it. It may have begun again.
    void restore(std::optional<journal::PipelineSnapshot> found) {
        durable_ = std::move(found);
        ++begins_;
    }
    std::size_t open_batches() const;
    // How often an operator's request for another try was written.
    std::uint64_t retries() const { return retries_; }
    // How often the pipeline has begun (again).
    std::uint64_t begins() const { return begins_; }
    const journal::QuarantineEntry* quarantined(std::string_view entity) const;

  private:
    void put(const journal::BeginPipeline& change);
    void put(const journal::OpenBatch& change);
    void put(const journal::ApplyBatch& change);
    void put(const journal::CommitBatches& change);
    void put(const journal::CloseGaps& change);
    void put(const journal::SetCondition& change);
    void put(const journal::RetryQuarantine& change);
    void put(const journal::DropQuarantine& change);
    void put(const journal::RecordCheckpoint& change);
    void put(const journal::SetShape& change);
    void put(const journal::NoteIncident& change);
    journal::Batch& batch(journal::BatchId id);

    std::optional<journal::PipelineSnapshot> durable_;
    std::uint64_t begins_ = 0;
    std::uint64_t retries_ = 0;
};

}  // namespace pawl::simulation
