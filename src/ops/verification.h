// Proves that the index behind a pipeline's alias and its source agree, while both are being written to, or
// finds where they do not: `pawl verify`, and the daemon's own verification now and then.
//
//   fix a revision → sums of fingerprints of both sides, in buckets → the entities of the buckets that
//   differ, in rounds → each of them exactly, by realtime get and by its latest row (verify/judge.h)
//
// In outbox mode the same, with the present rows of the table, and documents in place of revisions.
//
// A difference that is reported is one: it was looked at exactly, and nothing that may still be on its way
// counts. Memory: the buckets (12 MiB), the suspects of one round, a page of each side; with an entity of
// more than a few rows a bit for each revision (source/fill_scan.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "engine/page.h"
#include "index/document_get.h"
#include "index/server.h"
#include "source/interrupt.h"
#include "verify/judge.h"

namespace pawl::ops {

// What became of a difference (ops/verify_repair.h).
enum class Outcome : std::uint8_t {
    open = 1,         // it is still there, as far as anybody has looked
    healed = 2,       // both sides agree
    quarantined = 3,  // the index refuses the document
};
std::string_view name_of(Outcome outcome);  // "open", "healed", "quarantined"

struct Difference {
    std::string entity;
    verify::Kind kind = verify::Kind::missing;
    std::optional<engine::Revision> indexed;  // the document's version
    std::optional<engine::Revision> latest;   // the history's latest row of the entity
    bool deletes = false;                     // that row does
    bool has_row = false;                     // the history, or the table
    bool is_foreign = false;                  // outbox mode: the version is above all ids of the outbox
    bool can_be_healed = true;
    Outcome outcome = Outcome::open;
    index::DocumentNow document = {};  // as it was seen last, where it was
    bool is_waiting = false;           // … but something was on its way, by the last look_again()
};

struct VerifyReport {
    std::string pipeline;
    std::string index;
    bool is_of_table = false;       // outbox mode
    engine::Revision revision = 0;  // both sides were compared at; outbox mode: its highest id at the start
    std::uint64_t entities = 0;     // that live in the history at that revision, or in the table
    std::uint64_t documents = 0;    // in the index
    std::uint64_t quarantined = 0;  // left out: the journal, or the index, says that they are owed
    std::uint64_t unsettled = 0;    // that changed all the time while they were looked at
    std::uint64_t buckets_differing = 0;
    std::uint64_t rounds = 0;
    std::uint64_t looked_at = 0;        // exactly
    bool content = false;               // documents were compared too
    std::vector<std::string> left_out;  // of documents: what the mapping keeps out of _source, in its words
    std::vector<Difference> differences;
    bool more_differences = false;  // than are listed
    TimeMs took_ms = 0;

    bool equal() const { return differences.empty(); }
    // Nothing is left to be done: equal, or all of it is healed.
    bool settled() const;
    std::size_t count_of(verify::Kind kind) const;
};

// "history", or "table"
std::string_view source_word(const VerifyReport& report);

// "3 missing, 1 stale"; with " or more" where not all are listed.
std::string counts_text(const VerifyReport& report);

enum class VerifyStage : std::uint8_t { history, index, suspects, table };
std::string_view name_of(VerifyStage stage);  // "reading the history", …

struct VerifyProgress {
    VerifyStage stage = VerifyStage::history;
    std::uint64_t round = 0;  // 0: the first pass over both sides
    std::uint64_t done = 0;   // rows, documents or suspects of this stage
};

// Who waits for it. Called by the thread that verifies.
class VerifyWatcher {
  public:
    virtual ~VerifyWatcher() = default;
    // After each page; may take its time, so that others come to their turn. False: end it.
    virtual bool goes_on(const VerifyProgress& progress) = 0;
    // Before something is looked at again. False: end it.
    virtual bool wait(TimeMs span) = 0;
};

// What one verification talks to. All of it must outlive it.
struct VerifyWorld {
    const config::Config& config;
    const config::Pipeline& pipeline;
    index::Call call;
    source::Interrupt& interrupt;
    VerifyWatcher& watcher;
    // Of a rebuild: what was read is settled, gaps or not, while no batch is open. A row that commits late
    // may be found missing then, which only a repair by the one who feeds can tell from a loss.
    bool nobody_else_feeds = false;
};

class Verification {
  public:
    // Finds the index and the revision to compare at, and connects. `world` must outlive it. In outbox mode
    // documents are compared in any case, where the index keeps them.
    // Errors: what keeps it from looking; kind decision where there is nothing to compare (another source, a
    // history that went back, a first fill that is not over).
    static Result<Verification> begin(const VerifyWorld& world, bool content);
    ~Verification();
    Verification(Verification&& other) noexcept;
    Verification& operator=(Verification&&) = delete;

    // All of both sides. Kind unavailable too when the watcher has ended it.
    Result<void> compare();
    // At the differences that are open.
    Result<void> look_again();

    VerifyReport& report();
    const VerifyWorld& world() const;
    const std::string& index() const;  // that is compared

  private:
    struct Impl;
    explicit Verification(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace pawl::ops
