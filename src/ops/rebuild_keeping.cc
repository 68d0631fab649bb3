#include "ops/rebuild_keeping.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "engine/limits.h"
#include "index/checkpoint.h"
#include "journal/reader.h"
#include "ops/limits.h"

namespace pawl::ops {

Result<RebuildStep> RebuildKeeping::next(RebuildStep step) {
    if (!has_outbox() || step != RebuildStep::resume) return step;
    auto kept = outbox();
    if (!kept) return std::unexpected(std::move(kept.error()));
    const auto there = kept->is_there();
    if (!there) return std::unexpected(there.error());
    return with_kept_rows(step, *there);
}

// What was deleted before the table was there, the fill finds in the pipeline's table itself.
Result<void> RebuildKeeping::begin() {
    if (!has_outbox()) return {};
    auto kept = outbox();
    if (!kept) return std::unexpected(std::move(kept.error()));
    const auto alone = kept->take_own_lease();
    if (!alone) return std::unexpected(alone.error());
    if (!*alone)
        return fail(ErrorKind::decision,
                    fmt::format("another rebuild of {}, or of another alias from the outbox {}, is under way",
                                pipeline_.index.alias, pipeline_.source.outbox->table),
                    "let it come to its end");
    const auto indices = index::find_rebuild(call_, pipeline_.index.alias);
    if (!indices) return std::unexpected(indices.error());
    return indices->fresh ? Result<void>{} : kept->make_anew();
}

// What a pawl that fed the live index may know of the outbox, as far as can be seen from here. Where the
// outbox went back, it has handed out less since.
engine::Revision RebuildKeeping::known_ids(const index::Target& live) const {
    engine::Revision known = 0;
    const auto remembered = index::remembered_in(live.meta, live.identity.index);
    if (remembered && *remembered) known = (*remembered)->revision;
    const auto contents = journal::read_journal(config_.journal.path);
    const auto* const journaled = contents ? contents->find(pipeline_.name) : nullptr;
    return journaled == nullptr ? known : std::max(known, journaled->pipeline.high);
}

Result<void> RebuildKeeping::raise_ids(const index::Target& live) {
    auto kept = outbox();
    if (!kept) return std::unexpected(std::move(kept.error()));
    return kept->raise_ids(known_ids(live));
}

Result<void> RebuildKeeping::tell_replaced(const index::RebuildIndices& indices) {
    const index::Target& fresh = *indices.fresh;
    auto remembered = index::remembered_in(fresh.meta, fresh.identity.index);
    if (!remembered) return std::unexpected(std::move(remembered.error()));
    if (!*remembered)
        return fail(ErrorKind::decision,
                    fmt::format("index {} does not say any more how far it was fed", fresh.identity.index),
                    "begin again: pawl rebuild --abort, then pawl rebuild");
    (*remembered)->replaces = indices.live->identity.uuid;
    return index::write_checkpoint(call_, fresh.identity.alias, fresh.identity.uuid, **remembered);
}

namespace {

bool may_pass(ErrorKind kind) {
    return kind == ErrorKind::unavailable || kind == ErrorKind::overloaded;
}

}  // namespace

// A server that is away for a while is waited for, too: after the swap this is all that is left to do.
Result<void> RebuildKeeping::end(VerifyWatcher& watcher, Log& log) {
    log.write(Severity::info, pipeline_.name,
              "rebuild: giving kept rows back to the outbox, until the new index is taken up");
    std::optional<RebuildOutbox> kept;
    const TimeMs deadline = clock_now() + limits::take_up_wait_ms;
    bool is_away = false;  // a server
    for (;;) {
        auto done = look_and_let_go(kept);
        const bool is_late = clock_now() >= deadline;
        if (!done && (!may_pass(done.error().kind) || is_late))
            return std::unexpected(std::move(done.error()));
        if (!done) {
            if (!is_away)
                log.write(Severity::warning, pipeline_.name,
                          fmt::format("rebuild: {}; trying again for {} s", to_line(done.error()),
                                      (deadline - clock_now()) / 1'000));
            kept.reset();
            over_.forget();
        } else if (*done) {
            return {};
        } else if (!over_.begun() && is_late) {
            return fail(ErrorKind::unavailable,
                        fmt::format("the pawl that feeds {} has not noticed in {} s that its alias has moved",
                                    pipeline_.name, limits::take_up_wait_ms / 1'000),
                        "see its log; then run pawl rebuild again, which concludes this");
        }
        is_away = !done;
        if (!watcher.wait(limits::take_up_look_pause_ms)) return {};
    }
}

Result<bool> RebuildKeeping::look_and_let_go(std::optional<RebuildOutbox>& kept) {
    if (!kept) {
        auto opened = outbox();
        if (!opened) return std::unexpected(std::move(opened.error()));
        kept.emplace(std::move(*opened));
    }
    return let_go(*kept);
}

// False: a pawl that feeds the pipeline may still delete rows for the old index. One that has taken the new
// one up has written its own _meta, and does not: what it had asked for before was done by then. One that had
// the lease before that one, or before this rebuild, may not know yet that it has lost it: it counts on it
// for lease_valid_ms at most, and commits nothing later (engine/lease_term.h).
Result<bool> RebuildKeeping::let_go(RebuildOutbox& outbox) {
    const auto indices = index::find_rebuild(call_, pipeline_.index.alias);
    if (!indices) return std::unexpected(indices.error());
    if (!indices->swapped())
        return fail(ErrorKind::decision,
                    fmt::format("alias {} does not lead to the new index any more", pipeline_.index.alias),
                    "see where it should lead; then run pawl rebuild again");
    const index::Target& fresh = *indices->fresh;
    auto remembered = index::remembered_in(fresh.meta, fresh.identity.index);
    if (!remembered) return std::unexpected(std::move(remembered.error()));
    const bool taken_up = *remembered && (*remembered)->replaces.empty();
    const auto nobody = taken_up ? Result<bool>(false) : outbox.take_lease();
    if (!nobody) return std::unexpected(nobody.error());
    KeptFacts facts{.is_taken_up = taken_up, .nobody_feeds = *nobody};
    facts.for_long = over_.for_long(facts.are_over(), clock_now());
    const auto acts = acts_after_swap(facts);
    for (const KeptAct act : acts)
        if (auto done = carry_out(act, outbox, fresh, *remembered); !done)
            return std::unexpected(std::move(done.error()));
    return !acts.empty() && acts.back() == KeptAct::drop;
}

Result<void> RebuildKeeping::carry_out(KeptAct act, RebuildOutbox& outbox, const index::Target& fresh,
                                       const std::optional<engine::Remembered>& remembered) {
    switch (act) {
        case KeptAct::hand_over:
            return outbox.hand_over();
        case KeptAct::tell_that_nothing_lacks:
            return remembered ? tell_that_nothing_lacks(outbox, fresh, *remembered) : Result<void>{};
        case KeptAct::drop:
            return outbox.drop();
    }
    return {};
}

// Under the lease: whatever was deleted so far, the index or the outbox has it.
Result<void> RebuildKeeping::tell_that_nothing_lacks(RebuildOutbox& outbox, const index::Target& fresh,
                                                     engine::Remembered remembered) {
    const auto id = outbox.take_id();
    if (!id) return std::unexpected(id.error());
    remembered.revision = *id;
    remembered.owed = {};
    remembered.replaces.clear();
    return index::write_checkpoint(call_, fresh.identity.alias, fresh.identity.uuid, remembered);
}

Result<void> RebuildKeeping::give_up() {
    if (!has_outbox()) return {};
    auto kept = outbox();
    if (!kept) return std::unexpected(std::move(kept.error()));
    const auto there = kept->is_there();
    if (!there) return std::unexpected(there.error());
    return *there ? kept->drop() : Result<void>{};
}

}  // namespace pawl::ops
