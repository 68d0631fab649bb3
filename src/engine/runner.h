// Carries the effects of pipelines out and brings events back. One for all pipelines of a process, so that
// their journal changes share transactions. No thread and no waiting in here: the daemon waits, the
// simulation does not.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/pipeline.h"
#include "engine/ports.h"

namespace pawl::engine {

struct Happened {
    std::size_t pipeline = 0;  // as Runner::add numbered it
    Event event;
};

class Runner {
  public:
    // What time it is; never goes back.
    using Clock = std::function<TimeMs()>;

    // All must outlive the runner.
    Runner(JournalPort& journal, Observer& observer, Random& random, Clock clock);

    // The ports must outlive the runner.
    std::size_t add(Pipeline pipeline, SourcePort& source, IndexPort& index, LeasePort& lease);

    // Hands the events to their pipelines, in order, and carries out all that follows; on return every
    // journal change that was asked for is on disk. All changes of one round share a transaction. An error is
    // the journal's: nothing more may be sent, the process must end.
    Result<void> handle(std::vector<Happened> events);

    // When the next timer is due; empty: none is set. Timers that are due fire with the next `handle`.
    std::optional<TimeMs> next_due() const;

    bool finished() const;  // all pipelines are
    const Pipeline& pipeline(std::size_t number) const { return members_[number].pipeline; }
    std::size_t size() const { return members_.size(); }

  private:
    struct Member {
        Pipeline pipeline;
        SourcePort* source;
        IndexPort* index;
        LeasePort* lease;
        std::map<Timer, TimeMs> due;
    };
    struct Write {
        std::size_t pipeline = 0;
        std::uint64_t ticket = 0;
    };

    std::vector<Happened> due_timers(TimeMs now);
    void carry_out(std::size_t number, Effect& effect, TimeMs now);
    Result<void> write_journal(std::vector<Happened>& events);

    JournalPort& journal_;
    Observer& observer_;
    Random& random_;
    Clock clock_;
    std::vector<Member> members_;
    std::vector<journal::Change> changes_;  // of the round at hand
    std::vector<Write> writes_;             // who waits for them
};

// The names of all crash points that a runner can hit: "before:<effect>", "after:<effect>" for each kind of
// effect, and the same for each kind of journal change ("before:write_journal/open_batch" …).
std::vector<std::string> crash_points();

}  // namespace pawl::engine
