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
    finished += other.finished;
    disk_errors += other.disk_errors;
    re_added += other.re_added;
    late_commits += other.late_commits;
    second_pawls += other.second_pawls;
    forgiven += other.forgiven;
    virtual_ms += other.virtual_ms;
    for (const auto& [boundary, count] : other.crashed_at)
        crashed_at[boundary] += count;
}

std::string to_string(const SimTally& tally) {
    std::string text = fmt::format(
        "{} schedules, {} steps, {} virtual hours, {} processes ({} crashed, {} of them before they sent "
        "anything, {} ended by the disk, {} came to rest), {} replays, {} begun again, {} quarantined, {} "
        "late "
        "commits, {} entities added again after a delete, {} with a second pawl ({} older states forgiven)\n"
        "boundaries at which a process died:",
        tally.schedules, tally.steps, tally.virtual_ms / 3'600'000, tally.processes, tally.crashes,
        tally.crashes_before_a_send, tally.disk_errors, tally.finished, tally.replays, tally.begins_again,
        tally.quarantined, tally.late_commits, tally.re_added, tally.second_pawls, tally.forgiven);
    for (const auto& [boundary, count] : tally.crashed_at)
        text += fmt::format(" {} {}", boundary, count);
    return text;
}

}  // namespace pawl::simulation
