#include "ops/verify_repair.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "base/time.h"
#include "index/document_get.h"
#include "journal/reader.h"
#include "ops/daemon.h"
#include "ops/limits.h"
#include "ops/operator_request.h"
#include "source/table_view.h"

namespace pawl::ops {
namespace {

journal::IntervalSet revisions_to_send(const VerifyReport& report) {
    journal::IntervalSet revisions;
    for (const Difference& difference : report.differences)
        if (difference.latest && difference.can_be_healed) revisions.insert(*difference.latest);
    return revisions;
}

bool is_daemon_running(const std::filesystem::path& journal) {
    const auto contents = journal::read_journal(journal);
    return contents && contents->writer_pid.has_value();
}

// A request that is left with a standby is carried out when it has the lease, which may be never.
Result<void> is_no_standby_here(const VerifyWorld& world) {
    const auto contents = journal::read_journal(world.config.journal.path);
    const auto* const known = contents ? contents->find(world.pipeline.name) : nullptr;
    if (known == nullptr || !contents->writer_pid || known->pipeline.condition != journal::Condition::standby)
        return {};
    return fail(ErrorKind::unavailable,
                fmt::format("the pawl here (pid {}) is a standby: {}", *contents->writer_pid,
                            known->pipeline.condition_detail),
                "repair where that one runs: pawl verify --repair");
}

// Catches up with this pipeline alone; the request that waits is taken at the start.
Result<void> run_once(const VerifyWorld& world, StopSignal& stop, Log& log) {
    config::Config only = world.config;
    only.pipelines = {world.pipeline};
    const auto report = run_daemon(only, {.until = engine::Until::caught_up}, stop, log);
    if (!report) return std::unexpected(report.error());
    if (report->pipelines.front().error) return std::unexpected(*report->pipelines.front().error);
    if (report->stopped_by_signal) return fail(ErrorKind::unavailable, "stopped by a signal");
    return {};
}

Result<void> send_again(const Verification& verification, const journal::IntervalSet& revisions,
                        StopSignal& stop, Log& log) {
    const VerifyWorld& world = verification.world();
    if (auto fed_here = is_no_standby_here(world); !fed_here) return fed_here;
    const auto& journal = world.config.journal.path;
    std::error_code problem;  // told by leave()
    if (std::filesystem::create_directories(journal, problem))
        std::filesystem::permissions(journal, std::filesystem::perms::owner_all, problem);
    auto left =
        leave(journal,
              {.ask = OperatorRequest::Ask::repair, .pipeline = world.pipeline.name, .revisions = revisions});
    if (!left) return left;
    if (is_daemon_running(journal)) return {};
    return run_once(world, stop, log);
}

// A row of the outbox makes a document what the table says, and deletes one without a row; but not where its
// version is above all ids.
std::vector<std::string> entities_to_write(const VerifyReport& report) {
    std::vector<std::string> entities;
    for (const Difference& difference : report.differences)
        if (difference.can_be_healed && !difference.is_foreign) entities.push_back(difference.entity);
    return entities;
}

// No lock on the entities' rows is needed: what a writer commits later than this, with a lower id, is a late
// row, and the one who feeds the index renews it (docs/decisions.md).
Result<void> write_outbox(const VerifyWorld& world, const std::vector<std::string>& entities) {
    auto view = source::TableView::open(world.config.mariadb, world.pipeline, world.interrupt);
    if (!view) return std::unexpected(std::move(view.error()));
    return view->add_rows(entities);
}

Result<void> take_out_surplus(Verification& verification, bool (*chosen)(const Difference&)) {
    for (const Difference& difference : verification.report().differences) {
        if (difference.kind != verify::Kind::surplus || difference.outcome != Outcome::open ||
            !chosen(difference))
            continue;
        const auto removed = index::remove_document(verification.world().call, verification.index(),
                                                    difference.entity, difference.document);
        if (!removed) return std::unexpected(removed.error());
    }
    return {};
}

bool may_still_heal(const VerifyReport& report) {
    return std::ranges::any_of(report.differences, [](const Difference& difference) {
        return difference.can_be_healed && difference.outcome == Outcome::open;
    });
}

// Until both sides agree. `after_look`: what else can be done after each look that shows differences.
template <class AfterLook>
Result<void> wait_until_healed(Verification& verification, AfterLook after_look) {
    const TimeMs deadline = clock_now() + limits::repair_wait_ms;
    for (;;) {
        if (auto looked = verification.look_again(); !looked) return looked;
        if (!may_still_heal(verification.report()) || clock_now() >= deadline) return {};
        if (auto done = after_look(); !done) return done;
        if (!verification.world().watcher.wait(limits::repair_look_pause_ms))
            return fail(ErrorKind::unavailable, "ended before all was healed");
    }
}

Result<void> repair_from_history(Verification& verification, StopSignal& stop, Log& log) {
    const auto revisions = revisions_to_send(verification.report());
    if (!revisions.empty())
        if (auto sent = send_again(verification, revisions, stop, log); !sent) return sent;
    if (auto removed = take_out_surplus(verification, [](const Difference&) { return true; }); !removed)
        return removed;
    return wait_until_healed(verification, [] { return Result<void>{}; });
}

// Whoever feeds the pipeline finds the rows in the outbox: a daemon here or elsewhere, or one that runs now.
// Where another pawl has the lease, it will send them.
Result<void> repair_from_table(Verification& verification, StopSignal& stop, Log& log) {
    const VerifyWorld& world = verification.world();
    const auto entities = entities_to_write(verification.report());
    std::optional<Error> not_sent;
    if (!entities.empty()) {
        if (auto written = write_outbox(world, entities); !written) return written;
        if (!is_daemon_running(world.config.journal.path))
            if (auto run = run_once(world, stop, log); !run) not_sent = std::move(run.error());
    }
    if (not_sent && (stop.asked() || not_sent->kind != ErrorKind::unavailable))
        return std::unexpected(std::move(*not_sent));
    const auto is_foreign = [](const Difference& difference) { return difference.is_foreign; };
    if (auto removed = take_out_surplus(verification, is_foreign); !removed) return removed;
    // An id that is no key of this table has no row in the outbox either.
    const auto has_no_row = [](const Difference& difference) { return !difference.is_waiting; };
    auto healed = wait_until_healed(verification, [&] { return take_out_surplus(verification, has_no_row); });
    if (healed && not_sent && may_still_heal(verification.report()))
        return std::unexpected(std::move(*not_sent));
    return healed;
}

}  // namespace

Result<void> repair(Verification& verification, StopSignal& stop, Log& log) {
    const VerifyReport& report = verification.report();
    if (report.equal()) return {};
    return report.is_of_table ? repair_from_table(verification, stop, log)
                              : repair_from_history(verification, stop, log);
}

}  // namespace pawl::ops
