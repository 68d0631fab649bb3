// Whether the history is still the one that the index was fed from, and whose a version is that the index
// names.
#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/planted.h"
#include "engine/pipeline.h"
#include "journal/limits.h"

namespace pawl::engine {

void Pipeline::look_up_if_due() {
    if (look_up_asked_.under_way() || trouble_.waiting(Lane::read)) return;
    // Before recovery nothing is asked about batches: it may begin anew without them.
    const std::size_t doubts_max = recovered_ ? limits::look_up_versions_max : 0;
    const auto few = static_cast<std::ptrdiff_t>(std::min(doubts_.size(), doubts_max));
    const bool wanted = !history_ || history_due_ || few > 0;
    if (!wanted || (history_ && !recovered_)) return;  // recovery needs the question that was answered
    history_due_ = false;
    question_ = history_question();
    question_.doubts.assign(doubts_.begin(), doubts_.begin() + few);
    doubts_.erase(doubts_.begin(), doubts_.begin() + few);
    look_up_asked_.begin();
    LookUpRequest request = question_.request(++last_request_);
    if (has_outbox() && !recovered_) request.take_id_from = question_.end_at_least;
    effects_.emplace_back(LookUp{std::move(request)});
}

// What is known of the history, as far as the index behind the alias was fed from it.
HistoryQuestion Pipeline::history_question() const {
    HistoryQuestion question;
    if (source_fact() == SourceFact::other) return question;  // what is known is of another one
    if (target_fact() == TargetFact::same) {
        const journal::Pipeline& known = ledger_.pipeline();
        for (const journal::Anchor& anchor : known.anchors)
            question.anchors.push_back({anchor, known.shape});
        question.end_at_least = known.high;
    }
    const bool is_new = target_fact() != TargetFact::same && !target_->remembered;
    if (!has_outbox() && is_new && source_->history_end > 0)
        question.anchors.push_back({{source_->history_end, 0}, 0});  // see anchor_of_end
    if (recovered_ || !target_->remembered) return question;
    const Remembered& remembered = *target_->remembered;
    if (remembered.anchor) question.anchors.push_back({*remembered.anchor, remembered.shape});
    question.end_at_least = std::max(question.end_at_least, remembered.revision);
    return question;
}

// A fill leaves out rows that are not their entity's latest. Where the later one goes, with a restored
// database, the left out row would be missing; so the history must not end before that of the fill, from its
// beginning on.
std::optional<journal::Anchor> Pipeline::anchor_of_end() const {
    if (history_->answer.shape != source_->shape) return std::nullopt;
    return question_.found_at(source_->history_end, history_->answer);
}

void Pipeline::on(const LookedUp& event) {
    if (!look_up_asked_.end()) return;
    success(Lane::read);
    const auto why = why_went_back(question_, event.answer);
    if (!recovered_) {
        history_ = HistoryVerdict{why, event.answer};
        if (has_outbox()) source_->history_end = event.answer.history_end;
    } else if (why) {
        regress(TargetFact::same, *why);
    } else {
        follow_shape(question_, event.answer);
        settle_doubts(std::exchange(question_.doubts, {}), event.answer);
    }
}

void Pipeline::on(const LookUpFailed& event) {
    if (!look_up_asked_.end()) return;
    history_due_ = true;
    gap_closing_.forget();
    doubt_again();
    trouble(Lane::read, event.error);
}

// The look-up that is under way tells nothing: what it asked about is still in doubt.
void Pipeline::doubt_again() {
    const auto doubts = std::exchange(question_.doubts, {});
    doubts_.insert(doubts_.begin(), doubts.begin(), doubts.end());
}

void Pipeline::regress(TargetFact target, const std::string& why) {
    const RecoveryFacts facts{.journal = ledger_.known() ? JournalFact::present : JournalFact::absent,
                              .history = HistoryFact::went_back,
                              .target = target,
                              .memory = MemoryFact::known};
    const RecoveryRow& row = decide(facts);
    const std::string text = fmt::format("{}: {}", row.explanation, why);
    stop_by(
        row, journal::Condition::source_regressed,
        {ErrorKind::decision, text,
         has_outbox() ? "nothing more is sent to the index; when the database is as it should be, " +
                            std::string(refill_advice)
                      : "nothing more is sent to the index; when the database is as it should be, fill a new "
                        "index from it with pawl rebuild, then start pawl again"},
        text);
}

// The table's columns or the config may change what a row's digest is made of.
void Pipeline::follow_shape(const HistoryQuestion& question, const LookUpAnswer& answer) {
    const journal::Pipeline& known = ledger_.pipeline();
    if (known.shape == answer.shape) return;
    const bool is_news = known.shape != 0;
    std::vector<journal::Anchor> anchors;
    // Those that were asked for: newer ones that have come since, in their place, have a digest of the old
    // shape.
    for (const HistoryQuestion::Expected& expected : question.anchors) {
        const auto found = question.found_at(expected.anchor.revision, answer);
        const bool is_next = anchors.empty() || anchors.back().revision < expected.anchor.revision;
        if (found && is_next) anchors.push_back(*found);
    }
    if (anchors.size() > journal::limits::anchors_max) anchors.erase(anchors.begin());
    anchor_.reset();
    ledger_.set_shape(answer.shape, std::move(anchors), changes_);
    if (is_news) tell_new_shape();
}

void Pipeline::tell_new_shape() {
    const std::string text =
        "the document's shape has changed (config or columns): documents that are in the index keep the old "
        "one "
        "until their entity changes";
    tell(Severity::warning, text,
         "to make all documents anew: pawl rebuild, or pawl verify --content --repair");
    ledger_.note_incident(shape_incident, text, now_, changes_);
}

void Pipeline::settle_doubts(const std::vector<Doubt>& doubts, const LookUpAnswer& answer) {
    PAWL_ASSERT(answer.versions.size() == doubts.size());
    for (std::size_t i = 0; i < doubts.size(); ++i) {
        const auto work = works_.find(doubts[i].batch);
        PAWL_ASSERT(work != works_.end());
        if (answer.versions[i] && has_outbox() && !PAWL_PLANTED(unknown_version_not_renewed))
            renew(doubts[i].batch, doubts[i].place);
        else if (answer.versions[i])
            work->second.settle_doubt(doubts[i].place);
        else
            work->second.reject(
                {doubts[i].place},
                {ItemStatus::rejected,
                 std::string(foreign_version),
                 fmt::format(
                     "the index holds version {} of it, which is no revision of this entity: somebody else "
                     "writes to the index",
                     doubts[i].version.revision),
                 {}},
                now_);
        apply_if_acknowledged(doubts[i].batch);
    }
}

}  // namespace pawl::engine
