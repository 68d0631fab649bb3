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
    // demand.
    void happens(const Event& event) {
        bool proof_asked = false;
        for (Effect& effect : pipeline.step(event, now)) {
            if (std::holds_alternative<ProveGaps>(effect) && proof)
                proof_asked = true;
            else
                asked.push_back(std::move(effect));
        }
        if (proof_asked) happens(ProofAnswered{*proof});
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
    void target_is(const std::string& uuid, bool created) { happens(TargetReady{facts_of(uuid, created)}); }
    void writes() {
        while (auto write = take<WriteJournal>())
            happens(JournalWritten{write->ticket});
    }
    void reads(std::shared_ptr<Page> page) {
        const auto read = need<ReadPage>();
        page->read_at = now;
        happens(PageRead{read.request.id, std::move(page)});
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
    TimeMs now = 1'000'000;
    Pipeline pipeline;
    std::vector<Effect> asked;
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
