#include "ops/rebuild.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "base/time.h"
#include "index/rebuild_index.h"
#include "ops/daemon.h"
#include "ops/limits.h"
#include "ops/rebuild_config.h"
#include "ops/rebuild_folder.h"
#include "ops/rebuild_indices.h"
#include "ops/rebuild_keeping.h"
#include "ops/until_stopped.h"
#include "ops/verification.h"
#include "ops/verify_repair.h"

namespace pawl::ops {
namespace {

using index::RebuildIndices;

class Rebuild {
  public:
    Rebuild(const config::Config& config, const config::Pipeline& pipeline, const RebuildOptions& options,
            StopSignal& stop, Log& log, Asking asking, RebuildFolder folder)
        : config_(config),
          pipeline_(pipeline),
          options_(options),
          stop_(stop),
          log_(log),
          asking_(std::move(asking)),
          folder_(std::move(folder)),
          keeping_(config, pipeline, asking_.call()) {}

    Result<RebuildReport> run();

  private:
    Result<RebuildIndices> take_over(RebuildFolderFact folder);
    Result<void> begin(RebuildFolderFact folder);
    Result<void> go_on();
    Result<void> carry_out(RebuildAct act);
    Result<void> fill();
    Result<void> finish_loading();
    Result<void> confirm();
    Result<bool> count_agrees();
    Result<void> compare(const config::Config& own, bool& more);
    Result<void> catch_up();
    Result<void> raise_ids();
    Result<void> tell_replaced();
    Result<void> swap();
    Result<void> drop_old();
    Result<void> catch_up_after_swap();
    Result<void> feed(const std::string& doing, MayCreate may_create = MayCreate::no);
    Result<config::Config> own_config(MayCreate may_create) const;
    Result<RebuildIndices> look();
    Result<RebuildIndices> look_before_swap();
    Result<void> is_same_index(const RebuildIndices& indices) const;
    Error of_gone_index(Error error);
    Error in_words(Error error) const;
    void say(const std::string& text) { log_.write(Severity::info, pipeline_.name, "rebuild: " + text); }

    const config::Config& config_;
    const config::Pipeline& pipeline_;
    const RebuildOptions& options_;
    StopSignal& stop_;
    Log& log_;
    Asking asking_;
    RebuildFolder folder_;
    RebuildKeeping keeping_;
    RebuildIndices before_;                 // what was there when this call began
    std::string fresh_uuid_;                // of the one that was filled by this call, or is swapped already
    std::optional<engine::Filled> filled_;  // by the last feed, see engine::Pipeline::filled
    bool is_done_ = false;
    RebuildReport report_;
};

Result<RebuildReport> Rebuild::run() {
    const TimeMs began = clock_now();
    const auto folder = folder_.look();
    if (!folder) return std::unexpected(in_words(folder.error()));
    auto indices = take_over(*folder);
    if (!indices) return std::unexpected(std::move(indices.error()));
    if (auto possible = check_possible(pipeline_, *indices); !possible)
        return std::unexpected(std::move(possible.error()));
    // A missing privilege would else be found after hours: to read at the comparison, to move the aliases
    // last.
    const std::string& live = indices->live->identity.index;
    auto readable = index::count_documents(asking_.call(), live);
    if (!readable) return std::unexpected(in_words(std::move(readable.error())));
    if (auto movable = index::rehearse_swap(asking_.call(), pipeline_.index.alias, live); !movable)
        return std::unexpected(in_words(std::move(movable.error())));
    before_ = std::move(*indices);
    if (before_.swapped()) fresh_uuid_ = before_.live->identity.uuid;
    if (auto begun = begin(*folder); !begun) return std::unexpected(in_words(std::move(begun.error())));
    if (auto done = go_on(); !done) return std::unexpected(in_words(std::move(done.error())));
    report_.stopped_by_signal = !is_done_;
    report_.took_ms = clock_now() - began;
    return report_;
}

// What a pawl with another journal has begun is only looked at.
Result<RebuildIndices> Rebuild::take_over(RebuildFolderFact folder) {
    return folder == RebuildFolderFact::none
               ? look()
               : index::take_over_rebuild(asking_.call(), pipeline_.index.alias);
}

Result<void> Rebuild::begin(RebuildFolderFact folder) {
    const auto step = keeping_.next(next_step(fact_of(before_), folder));
    if (!step) return std::unexpected(step.error());
    report_.step = *step;
    switch (report_.step) {
        case RebuildStep::refuse:
            return refuse(pipeline_, before_);
        case RebuildStep::restart:
            say(before_.fresh->identity.index +
                " was begun with another config, or lacks rows: beginning again");
            return {};
        case RebuildStep::resume:
            say("going on with " + before_.fresh->identity.index);
            return {};
        case RebuildStep::begin:
        case RebuildStep::conclude:
            return {};
    }
    return {};
}

// An act that a signal has ended is not done; none of the later ones is begun.
Result<void> Rebuild::go_on() {
    const auto has_outbox = pipeline_.source.outbox ? HasOutbox::yes : HasOutbox::no;
    for (const RebuildAct act : acts_of(report_.step, has_outbox)) {
        if (stop_.asked()) return {};
        if (auto done = carry_out(act); !done) return std::unexpected(of_gone_index(std::move(done.error())));
    }
    is_done_ = true;
    return {};
}

Result<void> Rebuild::carry_out(RebuildAct act) {
    switch (act) {
        case RebuildAct::delete_half_filled:
            return delete_half_filled(asking_.call(), pipeline_.index.alias, before_);
        case RebuildAct::clear_folder:
            return folder_.clear();
        case RebuildAct::keep_rows:
            return keeping_.begin();
        case RebuildAct::fill:
            return fill();
        case RebuildAct::finish_loading:
            return finish_loading();
        case RebuildAct::compare:
            return confirm();
        case RebuildAct::catch_up_before_swap:
            return catch_up();
        case RebuildAct::raise_ids:
            return raise_ids();
        case RebuildAct::tell_replaced:
            return tell_replaced();
        case RebuildAct::swap:
            return swap();
        case RebuildAct::drop_old:
            return drop_old();
        case RebuildAct::catch_up_after_swap:
            return catch_up_after_swap();
        case RebuildAct::forget:
            return index::forget_rebuild(asking_.call(), pipeline_.index.alias, report_.new_index);
    }
    return {};
}

Result<void> Rebuild::fill() {
    if (auto fed = feed("filling the new index", MayCreate::yes); !fed || stop_.asked()) return fed;
    if (auto alike = folder_.is_of_one_shape(); !alike) return alike;
    const auto indices = look();
    if (!indices) return std::unexpected(indices.error());
    if (indices->fresh) fresh_uuid_ = indices->fresh->identity.uuid;
    if (auto same = is_same_index(*indices); !same) return same;
    report_.new_index = indices->fresh->identity.index;
    return {};
}

Result<void> Rebuild::finish_loading() {
    say(fmt::format("{} gets its own settings; waiting for its replicas", report_.new_index));
    return index::finish_loading(asking_.call(), pipeline_.index, report_.new_index,
                                 [this] { return stop_.asked(); });
}

// Before anybody reads the new index: an asynchronous translog may have lost what the server had
// acknowledged. From the flush on that cannot happen any more. Where the count does not do, the index is
// compared with the history, entity by entity, and what differs is sent again. Only so many differences are
// listed at a time; with more of them it is compared again.
Result<void> Rebuild::confirm() {
    const auto agrees = count_agrees();
    if (!agrees) return std::unexpected(agrees.error());
    if (*agrees && !options_.compare_all) return {};
    const auto own = own_config(MayCreate::no);
    if (!own) return std::unexpected(own.error());
    say("comparing the new index with the history");
    for (bool more = true; more && !stop_.asked();)
        if (auto compared = compare(*own, more); !compared) return compared;
    return {};
}

// Nobody else feeds the index, and nothing is on its way: it is what the history was at the fill's end.
Result<bool> Rebuild::count_agrees() {
    if (!filled_ || report_.rejected > 0) return false;
    const auto found = index::sum_versions(asking_.call(), report_.new_index);
    if (!found) return std::unexpected(found.error());
    say(fmt::format("the new index holds {} documents; the history {} living entities", found->documents,
                    filled_->documents));
    return found->documents == filled_->documents &&
           found->versions.value_or(filled_->version_sum) == filled_->version_sum;
}

Result<void> Rebuild::compare(const config::Config& own, bool& more) {
    more = false;
    source::Interrupt interrupt;
    UntilStopped watcher(stop_);
    const VerifyWorld world{.config = own,
                            .pipeline = own.pipelines.front(),
                            .call = asking_.call(),
                            .interrupt = interrupt,
                            .watcher = watcher,
                            .nobody_else_feeds = true};
    auto verification = Verification::begin(world, false);
    if (!verification) return std::unexpected(std::move(verification.error()));
    auto compared = verification->compare();
    const VerifyReport& found = verification->report();
    if (compared && !found.equal()) {
        say(fmt::format("{} entities differ; sending them again", found.differences.size()));
        compared = repair(*verification, stop_, log_);
    }
    if (stop_.asked()) return {};
    if (!compared) return compared;
    if (found.settled()) return {};
    const auto open = std::ranges::find(found.differences, Outcome::open, &Difference::outcome);
    more = found.more_differences && open == found.differences.end();
    if (more) return {};
    const Difference& first = open == found.differences.end() ? found.differences.front() : *open;
    return fail(ErrorKind::decision,
                fmt::format("entities of the new index are not what the history says, such as {}: {}",
                            first.entity, name_of(first.kind)),
                "see whether something else writes to the new index; then begin again: pawl rebuild --abort, "
                "pawl rebuild");
}

// Both aliases are where they were.
Result<RebuildIndices> Rebuild::look_before_swap() {
    if (auto alike = folder_.is_of_one_shape(); !alike) return std::unexpected(std::move(alike.error()));
    auto indices = look();
    if (!indices) return indices;
    if (auto same = is_same_index(*indices); !same) return std::unexpected(std::move(same.error()));
    if (!indices->live || indices->live->identity.uuid != before_.live->identity.uuid)
        return fail(ErrorKind::decision,
                    fmt::format("alias {} was moved while the new index was filled", pipeline_.index.alias),
                    "see where it should lead; then run pawl rebuild again, or give it up with --abort");
    return indices;
}

Result<void> Rebuild::raise_ids() {
    const auto indices = look_before_swap();
    if (!indices) return std::unexpected(indices.error());
    return keeping_.raise_ids(*indices->live);
}

Result<void> Rebuild::tell_replaced() {
    const auto indices = look_before_swap();
    if (!indices) return std::unexpected(indices.error());
    return keeping_.tell_replaced(*indices);
}

Result<void> Rebuild::swap() {
    const auto indices = look_before_swap();
    if (!indices) return std::unexpected(indices.error());
    report_.old_index = indices->live->identity.index;
    auto swapped = index::swap_alias(asking_.call(), pipeline_.index.alias, report_.old_index,
                                     report_.new_index, clock_now());
    if (!swapped) return swapped;
    say(fmt::format("alias {} leads to {} now", pipeline_.index.alias, report_.new_index));
    return {};
}

Result<void> Rebuild::drop_old() {
    if (!options_.drop_old) return {};
    auto gone =
        index::delete_beside(asking_.call(), pipeline_.index.alias, report_.new_index, report_.old_index);
    if (!gone) return gone;
    report_.dropped_old = true;
    return {};
}

// While it catches up with what a long fill has missed, more comes: so the new index starts as few rows
// behind as can be.
Result<void> Rebuild::catch_up() {
    for (int round = 0; round < limits::catch_up_rounds_max; ++round) {
        const TimeMs began = clock_now();
        if (auto fed = feed("catching up before the swap"); !fed || stop_.asked()) return fed;
        if (clock_now() - began < limits::catch_up_short_ms) break;
    }
    return {};
}

// Rows that a daemon has fed into the old index between the last catching up and the swap.
Result<void> Rebuild::catch_up_after_swap() {
    UntilStopped watcher(stop_);
    auto caught_up =
        pipeline_.source.outbox ? keeping_.end(watcher, log_) : feed("catching up after the swap");
    if (!caught_up || stop_.asked()) return caught_up;
    auto indices = look();
    if (!indices) return std::unexpected(std::move(indices.error()));
    if (auto same = is_same_index(*indices); !same) return same;
    report_.new_index = indices->fresh->identity.index;
    auto documents = index::count_documents(asking_.call(), report_.new_index);
    if (!documents) return std::unexpected(std::move(documents.error()));
    report_.documents = *documents;
    return {};
}

// The engine, behind the rebuild's alias, until it has caught up.
Result<void> Rebuild::feed(const std::string& doing, MayCreate may_create) {
    const auto own = own_config(may_create);
    if (!own) return std::unexpected(own.error());
    auto report =
        run_daemon(*own, {.until = engine::Until::caught_up, .doing = "rebuild: " + doing}, stop_, log_);
    if (!report) return std::unexpected(std::move(report.error()));
    const PipelineReport& fed = report->pipelines.front();
    report_.rejected = fed.quarantined;
    filled_ = fed.filled;
    if (fed.error) return std::unexpected(*fed.error);
    // The engine looks at the limit when a document is rejected, not at those that an earlier call has left.
    if (report_.rejected > options_.rejected_max && report_.step != RebuildStep::conclude)
        return fail(ErrorKind::decision, fmt::format("the new index refuses {} documents", report_.rejected));
    return {};
}

Result<config::Config> Rebuild::own_config(MayCreate may_create) const {
    return rebuild_config(config_, pipeline_, folder_.journal(), options_.rejected_max, may_create);
}

Result<RebuildIndices> Rebuild::look() {
    return index::find_rebuild(asking_.call(), pipeline_.index.alias);
}

Result<void> Rebuild::is_same_index(const RebuildIndices& indices) const {
    if (indices.fresh && indices.fresh->identity.uuid == fresh_uuid_) return {};
    return fail(
        ErrorKind::decision,
        fmt::format("alias {} does not lead to the index any more that was filled: somebody has given "
                    "the rebuild up, or concluded it",
                    index::rebuild_alias(pipeline_.index.alias)),
        "see what is behind it; then run pawl rebuild again");
}

// "No such index" says less than what has happened: somebody else has deleted the new one.
Error Rebuild::of_gone_index(Error error) {
    if (error.kind != ErrorKind::target_missing || fresh_uuid_.empty()) return error;
    const auto indices = look();
    if (!indices) return error;
    const auto same = is_same_index(*indices);
    return same ? error : same.error();
}

Error Rebuild::in_words(Error error) const {
    if (report_.rejected > options_.rejected_max)
        error.advice = fmt::format(
            "see why: pawl quarantine list --journal {}; correct {} and run pawl rebuild "
            "again, or allow more with --max-rejected",
            folder_.journal().string(), pipeline_.index.create.string());
    else if (error.kind == ErrorKind::decision && error.advice.find("pawl rebuild") != std::string::npos &&
             error.advice.find("--abort") == std::string::npos)
        error.advice = "begin again: pawl rebuild --abort, then pawl rebuild";
    return std::move(error).within("rebuild");
}

}  // namespace

Result<RebuildReport> rebuild(const config::Config& config, const config::Pipeline& pipeline,
                              const RebuildOptions& options, StopSignal& stop, Log& log) {
    auto asking = Asking::make(config);
    if (!asking) return std::unexpected(std::move(asking.error()));
    auto folder = RebuildFolder::take(config, pipeline);
    if (!folder) return std::unexpected(std::move(folder.error()));
    return Rebuild(config, pipeline, options, stop, log, std::move(*asking), std::move(*folder)).run();
}

}  // namespace pawl::ops
