#include "ops/verify_repair.h"

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "index/document_get.h"
#include "journal/reader.h"
#include "ops/daemon.h"
#include "ops/limits.h"
#include "ops/operator_request.h"

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

Result<void> take_out_surplus(Verification& verification) {
    for (const Difference& difference : verification.report().differences) {
        if (difference.kind != verify::Kind::surplus) continue;
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

}  // namespace

Result<void> repair(Verification& verification, StopSignal& stop, Log& log) {
    const VerifyReport& report = verification.report();
    if (report.equal()) return {};
    const auto revisions = revisions_to_send(report);
    if (!revisions.empty())
        if (auto sent = send_again(verification, revisions, stop, log); !sent) return sent;
    if (auto removed = take_out_surplus(verification); !removed) return removed;
    const TimeMs deadline = clock_now() + limits::repair_wait_ms;
    for (;;) {
        if (auto looked = verification.look_again(); !looked) return looked;
        if (!may_still_heal(report) || clock_now() >= deadline) return {};
        if (!verification.world().watcher.wait(limits::repair_look_pause_ms))
            return fail(ErrorKind::unavailable, "ended before all was healed");
    }
}

}  // namespace pawl::ops
