// What one run of the simulation is like. The seed decides the options first, then the run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

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
    journal_fails,     // a commit of the journal fails; the process ends
    short_pages,       // the source covers less than it was asked for
    no_proofs,         // pawl may not LOCK TABLES
    operator_retries,  // quarantine retry, also for documents that the mapping takes by now
    count_of_them,
};
inline constexpr std::size_t faults = static_cast<std::size_t>(Fault::count_of_them);
std::string_view name_of(Fault fault);

struct SimOptions {
    std::uint64_t seed = 0;
    std::array<bool, faults> on{};
    std::uint32_t transactions = 20;  // that writers make
    std::uint32_t entities = 6;
    TimeMs faults_end_ms = 60'000;  // from here on nothing fails any more
    TimeMs gc_deletes_ms = 10'000;
    std::uint32_t index_actions_max = 1'000;  // more in one request are too large for the index
    engine::Limits limits;

    bool has(Fault fault) const { return on[static_cast<std::size_t>(fault)]; }
    void set(Fault fault, bool to) { on[static_cast<std::size_t>(fault)] = to; }
};

SimOptions options_of(std::uint64_t seed);
// One line, and how to run it again.
std::string to_string(const SimOptions& options);

}  // namespace pawl::simulation
