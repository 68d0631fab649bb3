#include "tests/simulation/sim_options.h"

#include <fmt/core.h>

#include "tests/simulation/sim_clock.h"

namespace pawl::simulation {
namespace {

constexpr std::array<std::string_view, faults> names{
    "late_commits", "rollbacks",     "crashes",     "pauses",     "lost_answers",     "overload",
    "too_large",    "bad_documents", "source_down", "index_down", "forbidden",        "index_deleted",
    "alias_moved",  "journal_fails", "short_pages", "no_proofs",  "operator_retries",
};

}  // namespace

std::string_view name_of(Fault fault) {
    return names.at(static_cast<std::size_t>(fault));
}

SimOptions options_of(std::uint64_t seed) {
    SimRandom random(seed ^ 0x70617761ULL);
    const auto small = [&](std::uint64_t low, std::uint64_t high) {
        return static_cast<std::uint32_t>(low + random.below(high - low + 1));
    };
    SimOptions options;
    options.seed = seed;
    const std::uint64_t chance = 10 + random.below(60);
    for (bool& is_on : options.on)
        is_on = random.percent(chance);
    options.transactions = small(5, 40);
    options.entities = small(1, 10);
    options.faults_end_ms = random.between(2'000, 60'000);
    options.gc_deletes_ms = random.between(4'000, 20'000);
    options.index_actions_max = small(1, 6);

    engine::Limits& limits = options.limits;
    limits.batch_rows_max = small(1, 8);
    limits.batch_bytes_max = small(20, 400);
    limits.batches_open_max = small(1, 5);
    limits.requests_in_flight_max = small(1, 3);
    limits.gaps_max = random.percent(20) ? small(1, 6) : 1'000;
    limits.quarantine_max = 1'000;
    limits.poll_interval_ms = random.between(200, 3'000);
    // Longer than any transaction takes: what is given up must be dead.
    limits.gap_grace_ms = random.between(20'000, 60'000);
    limits.retry_delay_min_ms = random.between(10, 200);
    limits.retry_delay_max_ms = random.between(500, 5'000);
    limits.give_up_after_ms = random.between(2'000, 20'000);
    return options;
}

std::string to_string(const SimOptions& options) {
    std::string text = fmt::format(
        "PAWL_SEED={} transactions={} entities={} faults_end_ms={} gc_deletes_ms={} rows={} bytes={} open={} "
        "requests={} gaps={} faults:",
        options.seed, options.transactions, options.entities, options.faults_end_ms, options.gc_deletes_ms,
        options.limits.batch_rows_max, options.limits.batch_bytes_max, options.limits.batches_open_max,
        options.limits.requests_in_flight_max, options.limits.gaps_max);
    for (std::size_t fault = 0; fault < faults; ++fault)
        if (options.on[fault]) text += fmt::format(" {}", names[fault]);
    return text;
}

}  // namespace pawl::simulation
