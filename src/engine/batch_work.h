// What is still to be done for one open batch: rows to read, actions to send, answers to wait for.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/ledger.h"
#include "engine/page.h"
#include "engine/request.h"

namespace pawl::engine {

// Actions of a batch that travel in one request: their places in the batch's action list.
using Part = std::vector<std::uint32_t>;

class BatchWork {
  public:
    // A batch that owes these revisions; its rows have yet to come.
    BatchWork(std::string pipeline, IntervalSet revisions);

    const IntervalSet& owed() const { return owed_; }
    // When the rows at hand were read; needs rows.
    TimeMs read_at() const { return page_->read_at; }

    bool needs_rows() const { return !has_rows_; }
    bool can_send() const { return !waiting_.empty(); }
    bool in_flight() const { return in_flight_ > 0; }
    // Every revision is dealt with: ready for APPLIED.
    bool acknowledged() const { return owed_.empty(); }

    // The rows of what is owed, as far as the page covers it. Invalid rows are rejected at once, unsent.
    void load(std::shared_ptr<const Page> page, std::vector<Row> actions, TimeMs now);

    // The rows have grown stale: all that is owed is read again. What the index has taken is not sent again
    // unless it has become newer, so that a slow batch comes to its end. Nothing may be in flight.
    void drop_rows();

    // The next part, of at most `actions_max` (>= 1) actions. It is in flight until one of the four below.
    Part take(std::size_t actions_max);
    BulkRequest request_of(const Part& part, RequestId id) const;

    // No usable answer: all of it is to be sent again, before anything else of this batch.
    void put_back(Part part);
    // Too large, or refused as a whole: its halves are to be sent. A part of one action has none: use reject.
    void split(const Part& part);
    // An action that was beaten by a version of which somebody has yet to find out whose it is. It counts as
    // in flight until settle_doubt or reject.
    struct Doubted {
        std::uint32_t place = 0;
        Revision version = 0;
    };
    struct Settled {
        const ItemResult* unsettled =
            nullptr;  // the first of those to be tried again, which wait as one part
        std::vector<Doubted> doubted;
    };
    // The answers, one per action.
    Settled settle(const Part& part, std::span<const ItemResult> items, TimeMs now);
    // The version is one of the history: a later row of the entity is in the index.
    void settle_doubt(std::uint32_t place);
    // The only action of this part can never be sent, or stands against a version that is nobody's.
    void reject(const Part& part, const ItemResult& why, TimeMs now);

    const Row& action(std::uint32_t place) const { return actions_.at(place); }

    // Whether this batch has sent, or will send, a row of the entity with a revision above this one.
    bool has_newer(std::string_view entity, Revision revision) const;

    // Once acknowledged: what became of it. Entities of `quarantine` are released when a row at least as new
    // as the rejected one was taken; one of a foreign version only by a newer row, or one that was read
    // later. No entity is in both lists, none is twice in one.
    BatchResult result(const Ledger::Quarantine& quarantine) const;

  private:
    enum class Progress : std::uint8_t { waiting, taken, rejected };

    void remember_taken();
    bool is_taken(const Row& row) const;
    void land();
    void finish_portion();
    void quarantine(const Row& row, std::string_view error, std::string_view reason, TimeMs now);

    std::string pipeline_;
    IntervalSet owed_;
    bool has_rows_ = false;             // of what is owed; an acknowledged batch keeps its last ones
    std::shared_ptr<const Page> page_;  // what the views in `actions_` point into
    std::vector<Row> actions_;
    Revision newest_ = 0;             // of actions_
    std::vector<Progress> progress_;  // of each action
    std::deque<Part> waiting_;
    std::size_t in_flight_ = 0;  // parts

    // A batch is one portion, but for a replay that takes several reads. `rejected_` and `outcome_` are of
    // the portion at hand and all before; `at_portion_` is where they stood when this one began.
    journal::BatchOutcome outcome_;
    std::vector<journal::QuarantineEntry> rejected_;
    struct Mark {
        journal::BatchOutcome outcome;
        std::size_t rejected = 0;
    } at_portion_;
    // Of each entity the newest row that the index has taken: in portions that are done or were dropped.
    std::map<std::string, Revision, std::less<>> taken_before_;
};

}  // namespace pawl::engine
