// What one run of the simulation is like. The seed decides the options first, then the run.
//
// What is not simulated, and why:
// - A node that dies with an asynchronous translog, and an index that is restored from a snapshot. Both times
// the
//   index forgets writes that it has acknowledged. The design has pawl notice that by the checkpoint that the
//   index itself remembers, always written after what it stands for is durable. This pawl writes none, so it
//   cannot notice; a check could only excuse what is lost. With index.translog.durability "request", the
//   default, an acknowledged write is durable.
// - An alias that moves, or an index made anew by a second pawl, under a running process: noticed by the
// _index
//   of bulk answers, in the same later version.
// - A process that is stopped between its last look at the clock and the write to its socket for longer than
//   gc_deletes. No version and no timeout on this side of the wire can help there.
// - Rows that are deleted from the history, revisions that are handed out twice.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/limits.h"

namespace pawl::simulation {

// What can go wrong; each is on or off for a whole run.
enum class Fault : std::uint8_t {
    late_commits,      // a transaction commits after others with higher revisions
    rollbacks,         // revisions that never come
    crashes,           // the process dies at any point
    pauses,            // the process sleeps, possibly for longer than tombstones live
    lost_answers,      // a request fails for pawl, before or after it took effect
    overload,          // 429, of items or of whole requests
    too_large,         // 413
    bad_documents,     // 400 of an item, of a whole request, and rows that make no document
    source_down,       // MariaDB does not answer
    index_down,        // Elasticsearch does not answer
    forbidden,         // a privilege goes away and comes back
    index_deleted,     // somebody deletes the index
    alias_moved,       // between two processes the alias moves to an index with other documents
    journal_fails,     // a commit of the journal fails, whether it took effect or not; the process ends
    disk_full,         // commits of the journal fail for a while, also those of a start
    source_breaks,     // a killed connection or a deadlock: any read, any look at the source fails
    source_restarts,   // MariaDB restarts: open transactions are dead, reads under way fail
    duplicates,        // a request arrives a second time
    second_pawl,       // another process with a journal of its own feeds the same index
    short_pages,       // the source covers less than it was asked for
    no_proofs,         // pawl may not LOCK TABLES
    operator_retries,  // quarantine retry, also for documents that the mapping takes by now
    count_of_them,
};
inline constexpr std::size_t faults = static_cast<std::size_t>(Fault::count_of_them);
std::string_view name_of(Fault fault);
std::optional<Fault> fault_named(std::string_view name);

struct SimOptions {
    std::uint64_t seed = 0;
    std::array<bool, faults> on{};
    std::uint32_t transactions = 20;  // that writers make
    std::uint32_t strikes = 1'000;    // of faults that strike from outside: none after so many
    std::uint32_t entities = 6;
    TimeMs faults_end_ms = 60'000;  // from here on nothing fails any more
    TimeMs gc_deletes_ms = 10'000;
    std::uint32_t index_actions_max = 1'000;  // more in one request are too large for the index
    engine::Limits limits;
    // There is no lease yet that keeps a second pawl from writing. Two of them can raise a deleted document
    // for a while: one that lags by more than gc_deletes reads in order what the other one has long deleted.
    // Unless this is set, that alone is forgiven, and only with the fault second_pawl; all else must hold.
    bool strict = false;

    bool has(Fault fault) const { return on[static_cast<std::size_t>(fault)]; }
    void set(Fault fault, bool to) { on[static_cast<std::size_t>(fault)] = to; }
};

SimOptions options_of(std::uint64_t seed);

// The command line that gives these options again, without the program: "--seed 7 --faults crashes,overload
// …". What is not named follows from the seed.
std::string to_arguments(const SimOptions& options);
// The other way. Reads only what `to_arguments` writes; otherwise says what is wrong.
Result<SimOptions> parse(std::span<const std::string> arguments);

// One line for a person: what else the seed decided.
std::string describe(const SimOptions& options);

}  // namespace pawl::simulation
