// What one run of the simulation is like. The seed decides the options first, then the run.
//
// What is not simulated, and why:
// - A node that dies with an asynchronous translog: the index forgets the last seconds of what it has
//   acknowledged, and nothing that pawl could ask for shows it. `check` warns; with index.translog.durability
//   "request", the default, an acknowledged write is durable.
// - A process that is stopped between its last look at the clock and the write to its socket for longer than
//   gc_deletes. No version and no timeout on this side of the wire can help there.
// - Rows that are deleted from the history one by one.
// - With an outbox: a request that arrives at another index than the one that it was meant for, about an
//   entity of which the outbox holds no row any more that this index has yet to take. It may show an older
//   state there, and only a comparison of all documents shows it. Where a row is left, that row mends it,
//   and so it is simulated.
// - With a rebuild: a request that was meant for the index before, or is of a call that is dead, which comes
//   to the new index after a node has died there that had forgotten a write of the entity. With an outbox the
//   document may be right, and so found equal, but at a version that it had before, such as 0, and so lose
//   against the older state of that request. Else a deleted one may rise again whose tombstone is forgotten:
//   that it is not there was found right. A comparison after that finds both.
// - With an outbox and a rebuild: a request of a rebuild that was given up, in the new index of the next one.
//   Ids of the two are not the same series, so the document may have a version that nobody can beat for a
//   while: a row that loses against it is told as one of a foreign version, but there may be none.
// - A second copy of a request (of a proxy that repeats it, of a node that had it in a queue when the
//   connection broke) that arrives, within its timeout, at another index than the first: an index that was
//   copied meanwhile without its tombstones, and that remembers that all of the request is done. Nothing in
//   the history, the journals or the index shows that a deleted document has come back; a comparison of all
//   documents does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/limits.h"
#include "journal/record.h"

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
    alias_moved,       // the alias moves to an index with the same documents, or with none
    journal_fails,     // a commit of the journal fails, whether it took effect or not; the process ends
    disk_full,         // commits of the journal fail for a while, also those of a start
    source_breaks,     // a killed connection or a deadlock: any read, any look at the source fails
    source_restarts,   // MariaDB restarts: open transactions are dead, reads under way fail
    duplicates,        // a request arrives a second time
    second_pawl,       // another process with a journal of its own feeds the same index
    short_pages,       // the source covers less than it was asked for
    no_proofs,         // pawl may not LOCK TABLES
    operator_retries,  // quarantine retry, also for documents that the mapping takes by now
    index_restored,    // the index is restored from a snapshot
    memory_erased,     // somebody overwrites what the index remembers
    source_restored,   // MariaDB is restored from a backup
    count_of_them,
};
inline constexpr std::size_t faults = static_cast<std::size_t>(Fault::count_of_them);
std::string_view name_of(Fault fault);
std::optional<Fault> fault_named(std::string_view name);

struct SimOptions {
    std::uint64_t seed = 0;
    journal::SourceMode mode = journal::SourceMode::revision;
    std::array<bool, faults> on{};
    std::uint32_t transactions = 20;  // that writers make
    std::uint32_t strikes = 1'000;    // of faults that strike from outside: none after so many
    std::uint32_t entities = 6;
    TimeMs faults_end_ms = 60'000;  // from here on nothing fails any more
    TimeMs gc_deletes_ms = 10'000;
    std::uint32_t index_actions_max = 1'000;  // more in one request are too large for the index
    engine::Limits limits;
    // When the alias moves (also by a rebuild), an index or the source is restored, a request that was meant
    // for the index before may raise a deleted document for a while; it is healed when the move is noticed.
    // Unless this is set, that is forgiven, and only with these faults, or from the swap on; all else must
    // hold. With an outbox so is a stray request (Stored::is_stray), and `pawl verify` with a rebuild is what
    // finds an index from another time that a pawl without a journal took up, and ids that were handed out
    // again before anybody looked.
    bool strict = false;
    // An operator has the index rebuilt; in outbox mode with kept rows (src/ops/rebuild_outbox.h). There a
    // pawl may also sleep in the middle of a clean-up. Not together with faults that take or move what a
    // rebuild works on (then it refuses, and a person decides): index_deleted, alias_moved, index_restored,
    // memory_erased, source_restored; nor with a mapping that changes.
    bool rebuild = false;

    bool has_outbox() const { return mode == journal::SourceMode::outbox; }
    bool has(Fault fault) const { return on[static_cast<std::size_t>(fault)]; }
    void set(Fault fault, bool to) { on[static_cast<std::size_t>(fault)] = to; }
};

SimOptions options_of(std::uint64_t seed, journal::SourceMode mode = journal::SourceMode::revision);
// The same with a rebuild, and without what does not go with it.
SimOptions rebuild_options_of(std::uint64_t seed, journal::SourceMode mode = journal::SourceMode::revision);

// The command line that gives these options again, without the program: "--seed 7 --faults crashes,overload
// …". What is not named follows from the seed.
std::string to_arguments(const SimOptions& options);
// The other way. Reads only what `to_arguments` writes; otherwise says what is wrong.
Result<SimOptions> parse(std::span<const std::string> arguments);

// One line for a person: what else the seed decided.
std::string describe(const SimOptions& options);

}  // namespace pawl::simulation
