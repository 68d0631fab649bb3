// What the index remembers: told now and then, and compared with what the journal says that it was told.
#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/planted.h"
#include "engine/pipeline.h"

namespace pawl::engine {

std::string Remembered::why_other_entities(const std::string& now) const {
    if (entities.empty() || now.empty() || entities == now) return {};
    return fmt::format("it was fed with {}, and the config says {}", entities, now);
}

// Now and then both servers are asked whether they are still what they were.
void Pipeline::look_after_memory() {
    if (!std::exchange(memory_due_, false)) return;
    history_due_ = true;
    target_due_ = true;
}

// Outbox mode: whether rows that this journal knows may have been deleted when another index had them. One
// that this or another pawl has filled since then says that it begins above them (Pipeline::begin_fill); one
// that a rebuild has filled has got what was deleted meanwhile (ops/rebuild_outbox.h).
bool Pipeline::may_lack_deleted_rows(const Remembered& remembered) const {
    if (!has_outbox() || !ledger_.known() || PAWL_PLANTED(lacking_index_taken_up)) return false;
    if (!remembered.replaces.empty() && remembered.replaces == ledger_.pipeline().target.uuid) return false;
    const Revision deleted = ledger_.deleted_at_most();
    IntervalSet owed_no_more = remembered.owed;
    owed_no_more.erase(ledger_.rows_in_use());
    return remembered.revision < deleted || (!owed_no_more.empty() && owed_no_more.lowest() <= deleted);
}

MemoryFact Pipeline::memory_fact() const {
    const auto& remembered = target_->remembered;
    if (target_fact() != TargetFact::same) {
        if (!remembered) return MemoryFact::none;
        return may_lack_deleted_rows(*remembered) ? MemoryFact::older : MemoryFact::known;
    }
    const auto& told = ledger_.pipeline().checkpoint;
    // With an outbox whatever this journal has not told it may be another pawl's, which has fed the index.
    const bool was_told =
        remembered && told == journal::Checkpoint{remembered->revision, remembered->written_at};
    if (has_outbox()) return was_told || (!remembered && !told) ? MemoryFact::known : MemoryFact::newer;
    if (!remembered) return told ? MemoryFact::erased : MemoryFact::known;
    if (told && remembered->revision < told->revision) return MemoryFact::older;
    if (remembered->revision > ledger_.pipeline().high) return MemoryFact::newer;
    return MemoryFact::known;
}

// Never more than the index holds: what is in quarantine is listed as owed, and when that is too much, the
// revision stays below what is not listed.
Remembered Pipeline::checkpoint() const {
    const journal::Pipeline& known = ledger_.pipeline();
    Remembered now{.pipeline = settings_.name,
                   .source = settings_.source,
                   .entities = settings_.entities,
                   .revision = PAWL_PLANTED(checkpoint_is_high) ? known.high : known.watermark,
                   .owed = {},
                   .anchor = {},
                   .shape = known.shape,
                   .filling = known.fill.has_value(),
                   .written_at = now_};
    // Of an outbox it holds whatever was deleted, so another pawl may have said more, and must not find less.
    if (has_outbox() && target_->remembered)
        now.revision = std::max(now.revision, target_->remembered->revision);
    if (!known.anchors.empty()) now.anchor = known.anchors.back();
    if (PAWL_PLANTED(checkpoint_forgets_quarantine)) return now;
    std::vector<Revision> owed;
    for (const auto& [entity, entry] : ledger_.quarantine())
        if (entry.revision > 0 && entry.revision <= now.revision) owed.push_back(entry.revision);
    std::ranges::sort(owed);
    if (owed.size() > limits::owed_max) {
        if (!has_outbox()) now.revision = owed[limits::owed_max] - 1;  // an outbox still has their rows
        owed.resize(limits::owed_max);
    }
    for (const Revision revision : owed)
        now.owed.insert(revision);
    return now;
}

bool Pipeline::write_checkpoint_if_worth() {
    PAWL_ASSERT(!checkpoint_asked_.under_way());
    if (target_asked_.under_way() || !lease_.holds_at(now_)) return false;
    Remembered now = checkpoint();
    const auto& before = target_->remembered;
    const bool is_news = !before || before->revision != now.revision || before->owed != now.owed ||
                         before->shape != now.shape || before->filling != now.filling ||
                         before->pipeline != now.pipeline;
    if (!is_news && claimed_) return false;
    telling_ = now;
    checkpoint_asked_.begin();
    effects_.emplace_back(WriteCheckpoint{std::move(now), target_->identity.uuid});
    return true;
}

// Outbox mode: before anything is sent to an index it is told who feeds it from now on, also where it has
// heard the same before: the time is another one. A pawl that fed it earlier, when it goes on later, finds
// that, and counts as late what is in the outbox: requests of this one may still arrive then, with the
// versions that its rows would have. At each start, since a former process may have died before the index
// heard of it.
bool Pipeline::waits_for_claim() {
    if (claimed_) return false;
    if (checkpoint_asked_.under_way() || trouble_.waiting(Lane::send)) return true;
    if (target_asked_.under_way()) return true;
    write_checkpoint_if_worth();
    return true;
}

void Pipeline::on(const CheckpointWritten&) {
    if (!checkpoint_asked_.end()) return;
    if (!std::exchange(claimed_, true)) success(Lane::send);
    ledger_.record_checkpoint({telling_.revision, telling_.written_at}, changes_);
    if (target_) target_->remembered = telling_;
}

// Nothing depends on it but how far a pawl without this journal would have to go back; and, where the index
// was just taken up, what may be sent. Without the privilege documents must come all the same.
void Pipeline::on(const CheckpointFailed& event) {
    if (!checkpoint_asked_.end()) return;
    claimed_ = claimed_ || event.error.kind == ErrorKind::forbidden;
    if (event.error.kind == ErrorKind::target_missing)
        lose_target(event.error);
    else if (!claimed_)
        trouble(Lane::send, event.error);
    else
        tell_now_and_then(event.error);
}

// At a clean stop the index is told what it holds. True: the answer has to be waited for.
bool Pipeline::remembers_before_finish() {
    if (checkpoint_asked_.under_way() || target_asked_.under_way()) return true;
    if (!recovered_ || !target_) return false;
    // An outbox's index that was filled from an empty table has got no request, so no claim. A rebuild goes
    // on with what the index says of itself.
    if (settings_.until == Until::caught_up && !claimed_ && !target_->remembered && !stopping_) {
        if (!trouble_.waiting(Lane::send)) write_checkpoint_if_worth();
        return true;
    }
    if (trouble_.any() || std::exchange(told_at_finish_, true)) return false;
    return write_checkpoint_if_worth();
}

void Pipeline::on(const RepairAsked& event) {
    reading_.repair(event.revisions);
}

}  // namespace pawl::engine
