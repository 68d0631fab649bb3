// What a run has been through, to see that the rare things were reached.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace pawl::simulation {

struct SimTally {
    std::uint64_t schedules = 0;
    std::uint64_t steps = 0;
    std::uint64_t processes = 0;
    std::uint64_t crashes = 0;
    std::uint64_t crashes_before_a_send = 0;  // of a process before it has sent anything
    std::uint64_t replays = 0;                // open batches that a start found in INTENT
    std::uint64_t begins_again = 0;           // decisions begin and adopt
    std::uint64_t regressions = 0;            // histories that went back and were noticed
    std::uint64_t takeovers = 0;              // leases won from another pawl or lost to it
    std::uint64_t quarantined = 0;            // notices about it
    std::uint64_t finished = 0;               // processes that came to rest by themselves or were stopped
    std::uint64_t disk_errors = 0;            // processes that ended because the journal could not be written
    std::uint64_t re_added = 0;               // rows that follow a delete of their entity
    std::uint64_t late_commits = 0;           // transactions that committed below a committed revision
    std::uint64_t second_pawls = 0;           // runs with two
    std::uint64_t forgiven = 0;               // older states that a second pawl made for a while
    std::uint64_t rebuild_calls = 0;
    std::uint64_t rebuilds_done = 0;
    std::uint64_t swaps = 0;
    std::uint64_t writes_forgotten = 0;         // of an index that was filled, by a node that died
    std::uint64_t comparisons_that_differ = 0;  // of a new index with the history
    std::uint64_t ids_raised = 0;               // of an outbox, since those of kept rows were above them
    std::uint64_t hand_overs = 0;               // of kept rows to the outbox
    std::map<std::string, std::uint64_t, std::less<>> rebuilds_by_step;  // what a call began with
    std::uint64_t virtual_ms = 0;
    std::map<std::string, std::uint64_t, std::less<>> crashed_at;  // "before:send_bulk" → how often

    void add(const SimTally& other);
};
std::string to_string(const SimTally& tally);

}  // namespace pawl::simulation
