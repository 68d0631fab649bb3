#include "tests/simulation/sim_tally.h"

#include <fmt/core.h>

namespace pawl::simulation {

void SimTally::add(const SimTally& other) {
    schedules += other.schedules;
    steps += other.steps;
    processes += other.processes;
    crashes += other.crashes;
    crashes_before_a_send += other.crashes_before_a_send;
    replays += other.replays;
    begins_again += other.begins_again;
    quarantined += other.quarantined;
    regressions += other.regressions;
    takeovers += other.takeovers;
    finished += other.finished;
    disk_errors += other.disk_errors;
    re_added += other.re_added;
    late_commits += other.late_commits;
    second_pawls += other.second_pawls;
    forgiven += other.forgiven;
    virtual_ms += other.virtual_ms;
    rebuild_calls += other.rebuild_calls;
    rebuilds_done += other.rebuilds_done;
    swaps += other.swaps;
    writes_forgotten += other.writes_forgotten;
    comparisons_that_differ += other.comparisons_that_differ;
    ids_raised += other.ids_raised;
    hand_overs += other.hand_overs;
    for (const auto& [step, count] : other.rebuilds_by_step)
        rebuilds_by_step[step] += count;
    for (const auto& [boundary, count] : other.crashed_at)
        crashed_at[boundary] += count;
}

namespace {

std::string rebuilds_in_words(const SimTally& tally) {
    if (tally.rebuild_calls == 0) return {};
    std::string text = fmt::format(
        "{} calls of rebuild, {} done, {} swaps, {} writes forgotten by a node that died, {} comparisons "
        "that differed, ids raised {} times, {} hand-overs of kept rows; begun with:",
        tally.rebuild_calls, tally.rebuilds_done, tally.swaps, tally.writes_forgotten,
        tally.comparisons_that_differ, tally.ids_raised, tally.hand_overs);
    for (const auto& [step, count] : tally.rebuilds_by_step)
        text += fmt::format(" {} {}", step, count);
    return text + "\n";
}

}  // namespace

std::string to_string(const SimTally& tally) {
    std::string text = rebuilds_in_words(tally);
    text += fmt::format(
        "{} schedules, {} steps, {} virtual hours, {} processes ({} crashed, {} of them before they sent "
        "anything, {} ended by the disk, {} came to rest), {} replays, {} begun again, {} regressions, {} "
        "takeovers, {} quarantined, {} "
        "late "
        "commits, {} entities added again after a delete, {} with a second pawl ({} older states forgiven)\n"
        "boundaries at which a process died:",
        tally.schedules, tally.steps, tally.virtual_ms / 3'600'000, tally.processes, tally.crashes,
        tally.crashes_before_a_send, tally.disk_errors, tally.finished, tally.replays, tally.begins_again,
        tally.regressions, tally.takeovers, tally.quarantined, tally.late_commits, tally.re_added,
        tally.second_pawls, tally.forgiven);
    for (const auto& [boundary, count] : tally.crashed_at)
        text += fmt::format(" {} {}", boundary, count);
    return text;
}

}  // namespace pawl::simulation
