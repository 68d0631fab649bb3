// A pipeline that a test drives by hand: it says what happens and looks at what the pipeline asks for.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "engine/pipeline.h"
#include "tests/unit/engine/rows.h"

namespace pawl::engine::testing {

inline TargetFacts facts_of(const std::string& uuid, bool created) {
    TargetFacts facts;
    facts.identity = {"alias", "index", uuid};
    facts.created = created;
    return facts;
}

class ByHand {
  public:
    explicit ByHand(PipelineSettings settings, std::optional<journal::PipelineSnapshot> journal = {})
        : pipeline(std::move(settings), std::move(journal)) {}

    // What is asked for is kept in `asked` until a test has taken it; WriteJournal is answered only on
    // demand. What most tests are not about is answered at once, as the members below say.
    void happens(const Event& event) {
        // The lease is asked for once a second, so that it has not expired by the time that a test goes on.
        if (has_lease_ && lease_at_once && std::exchange(leased_at_, now) != now)
            happens(TimerFired{Timer::lease});
        if (const auto* ready = std::get_if<SourceReady>(&event)) ready_end_ = ready->facts.history_end;
        std::vector<Event> answers;
        for (Effect& effect : pipeline.step(event, now)) {
            if (auto answer = answer_at_once(effect))
                answers.push_back(std::move(*answer));
            else if (const auto* timer = std::get_if<SetTimer>(&effect);
                     timer == nullptr || !is_everyday(timer->timer))
                asked.push_back(std::move(effect));
        }
        for (const Event& answer : answers)
            happens(answer);
    }

    // The first effect of this kind that was asked for and not taken.
    template <class Kind>
    std::optional<Kind> take() {
        for (auto effect = asked.begin(); effect != asked.end(); ++effect) {
            if (!std::holds_alternative<Kind>(*effect)) continue;
            Kind found = std::get<Kind>(std::move(*effect));
            asked.erase(effect);
            return found;
        }
        return std::nullopt;
    }
    template <class Kind>
    Kind need() {
        auto found = take<Kind>();
        REQUIRE(found);
        return std::move(*found);
    }

    // Begins with an index that has just been made, or is known; the history ends at `end`.
    void begins(Revision end = 0, bool created = true, const std::string& uuid = "uuid") {
        happens(Begin{});
        need<PrepareSource>();
        need<PrepareTarget>();
        happens(SourceReady{{end}});
        target_is(uuid, created);
    }
    // The index remembers what it was told.
    void target_is(const std::string& uuid, bool created) {
        TargetFacts facts = facts_of(uuid, created);
        if (uuid == told_uuid_) facts.remembered = told_;
        happens(TargetReady{facts});
    }
    void writes() {
        while (auto write = take<WriteJournal>())
            happens(JournalWritten{write->ticket});
    }
    // The answer to this look-up: the history is as it was.
    LookUpAnswer intact(const LookUpRequest& request) const {
        LookUpAnswer answer{.history_end = request.take_id_from ? ready_end_ : history_end, .shape = shape};
        for (const Revision revision : request.anchors)
            answer.anchors.emplace_back(digest_of(revision));
        answer.versions.assign(request.versions.size(), true);
        return answer;
    }
    static std::uint64_t digest_of(Revision revision) { return 7 * revision + 1; }
    void reads(std::shared_ptr<Page> page) {
        page->read_at = now;
        answers(need<ReadPage>().request, std::move(page));
    }
    // In an intact history.
    void answers(const ReadRequest& request, std::shared_ptr<Page> page) {
        if (request.beside != 0) page->digest_beside = digest_of(request.beside);
        happens(PageRead{request.id, std::move(page)});
    }
    // One result for all actions of the request.
    void answers(const SendBulk& send, ItemStatus status = ItemStatus::done) {
        const ItemResult item{status, status == ItemStatus::done ? "" : "an_error", "a reason", {}};
        happens(BulkAnswered{send.request.id, std::vector<ItemResult>(send.request.actions.size(), item)});
    }
    void fails(const SendBulk& send, ErrorKind kind) {
        happens(BulkFailed{send.request.id, {kind, "it failed", "do something"}});
    }
    void fires(Timer timer) { happens(TimerFired{timer}); }
    std::size_t notices(std::string_view beginning) {
        std::size_t count = 0;
        while (const auto notice = take<Notice>())
            count += notice->text.starts_with(beginning) ? 1 : 0;
        return count;
    }

    // What ProveGaps is answered with, at once; empty: it is kept in `asked` like everything else.
    std::optional<Proof> proof = Proof{Proof::Outcome::busy, 0, "somebody writes"};
    // Likewise of AskLease, LookUp and WriteCheckpoint; false: kept in `asked`.
    bool lease_at_once = true;
    bool look_up_at_once = true;
    bool checkpoint_at_once = true;
    Revision history_end = journal::revision_max;
    std::uint64_t shape = 0;
    TimeMs now = 1'000'000;
    Pipeline pipeline;
    std::vector<Effect> asked;

  private:
    // They come again and again, and few tests are about them.
    static bool is_everyday(Timer timer) { return timer == Timer::lease || timer == Timer::checkpoint; }

    std::optional<Event> answer_at_once(const Effect& effect) {
        if (std::holds_alternative<ProveGaps>(effect) && proof) return ProofAnswered{*proof};
        if (std::holds_alternative<AskLease>(effect) && lease_at_once) {
            const bool won = std::exchange(has_lease_, true);
            return LeaseAnswered{{won ? Lease::Outcome::held : Lease::Outcome::won, now, {}}};
        }
        if (const auto* look_up = std::get_if<LookUp>(&effect); look_up != nullptr && look_up_at_once)
            return LookedUp{look_up->request.id, intact(look_up->request)};
        const auto* const checkpoint = std::get_if<WriteCheckpoint>(&effect);
        if (checkpoint == nullptr || !checkpoint_at_once) return std::nullopt;
        told_ = checkpoint->remembered;
        told_uuid_ = checkpoint->index_uuid;
        return CheckpointWritten{};
    }

    bool has_lease_ = false;
    TimeMs leased_at_ = 0;
    Revision ready_end_ = 0;
    Remembered told_;
    std::string told_uuid_;
};

inline PipelineSettings settings_for(Until until = Until::stopped) {
    PipelineSettings settings;
    settings.name = "lex";
    settings.source = {journal::SourceMode::revision, "karp", "lex"};
    settings.until = until;
    return settings;
}

template <class Change>
bool holds(const WriteJournal& write) {
    for (const journal::Change& change : write.changes)
        if (std::holds_alternative<Change>(change)) return true;
    return false;
}

// What a process left that had read revisions 1 … last: one batch in this state.
inline journal::PipelineSnapshot left_behind(journal::BatchState state, Revision last = 2) {
    journal::PipelineSnapshot left;
    left.pipeline.name = "lex";
    left.pipeline.source = settings_for().source;
    left.pipeline.target = facts_of("uuid", false).identity;
    left.pipeline.last_batch = 1;
    left.pipeline.high = last;
    left.batches.push_back(batch_of(1, IntervalSet({Interval{1, last}}), state));
    return left;
}

}  // namespace pawl::engine::testing
