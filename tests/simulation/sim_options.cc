#include "tests/simulation/sim_options.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "tests/simulation/sim_clock.h"

namespace pawl::simulation {
namespace {

constexpr std::array<std::string_view, faults> names{
    "late_commits",  "rollbacks",        "crashes",        "pauses",        "lost_answers",
    "overload",      "too_large",        "bad_documents",  "source_down",   "index_down",
    "forbidden",     "index_deleted",    "alias_moved",    "journal_fails", "disk_full",
    "source_breaks", "source_restarts",  "duplicates",     "second_pawl",   "short_pages",
    "no_proofs",     "operator_retries", "index_restored", "memory_erased", "source_restored",
};

static_assert(!names.back().empty());  // as many as there are faults

// A run with two pawls takes twice the time and hides what a single one does wrong: one in so many.
constexpr std::uint64_t second_pawl_one_in = 8;

Result<std::uint64_t> number_of(std::string_view option, std::string_view text) {
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        return fail(ErrorKind::invalid, fmt::format("{} wants a number, not \"{}\"", option, text));
    return number;
}

Result<void> set_faults(SimOptions& options, std::string_view list) {
    options.on = {};
    while (!list.empty() && list != "none") {
        const std::string_view name = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), name.size() + 1));
        const auto fault = fault_named(name);
        if (!fault) return fail(ErrorKind::invalid, fmt::format("there is no fault \"{}\"", name));
        options.set(*fault, true);
    }
    return {};
}

Result<void> set_mode(SimOptions& options, std::string_view name) {
    for (const auto mode : {journal::SourceMode::revision, journal::SourceMode::outbox}) {
        if (journal::name_of(mode) != name) continue;
        options.mode = mode;
        return {};
    }
    return fail(ErrorKind::invalid, fmt::format("there is no mode \"{}\"", name));
}

Result<void> set_option(SimOptions& options, std::string_view option, std::string_view value) {
    if (option == "--faults") return set_faults(options, value);
    if (option == "--mode") return set_mode(options, value);
    const auto number = number_of(option, value);
    if (!number) return std::unexpected(number.error());
    if (option == "--transactions")
        options.transactions = static_cast<std::uint32_t>(*number);
    else if (option == "--strikes")
        options.strikes = static_cast<std::uint32_t>(*number);
    else if (option == "--faults-end-ms")
        options.faults_end_ms = static_cast<TimeMs>(*number);
    else
        return fail(ErrorKind::invalid, fmt::format("there is no option {}", option));
    return {};
}

}  // namespace

std::string_view name_of(Fault fault) {
    return names.at(static_cast<std::size_t>(fault));
}

std::optional<Fault> fault_named(std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Fault>(found - names.begin());
}

SimOptions options_of(std::uint64_t seed, journal::SourceMode mode) {
    SimRandom random(seed ^ 0x70617761ULL);
    const auto small = [&](std::uint64_t low, std::uint64_t high) {
        return static_cast<std::uint32_t>(low + random.below(high - low + 1));
    };
    SimOptions options;
    options.seed = seed;
    options.mode = mode;
    const std::uint64_t chance = 10 + random.below(60);
    for (bool& is_on : options.on)
        is_on = random.percent(chance);
    options.set(Fault::second_pawl, random.below(second_pawl_one_in) == 0);
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
    limits.checkpoint_interval_ms = random.between(500, 10'000);
    limits.gap_grace_ms = random.between(20'000, 60'000);
    limits.retry_delay_min_ms = random.between(10, 200);
    limits.retry_delay_max_ms = random.between(500, 5'000);
    limits.give_up_after_ms = random.between(2'000, 20'000);
    return options;
}

SimOptions rebuild_options_of(std::uint64_t seed, journal::SourceMode mode) {
    SimOptions options = options_of(seed, mode);
    options.rebuild = true;
    for (const Fault fault : {Fault::index_deleted, Fault::alias_moved, Fault::index_restored,
                              Fault::memory_erased, Fault::source_restored, Fault::operator_retries})
        options.set(fault, false);
    return options;
}

std::string to_arguments(const SimOptions& options) {
    const SimOptions from_seed = options.rebuild ? rebuild_options_of(options.seed, options.mode)
                                                 : options_of(options.seed, options.mode);
    std::string text = fmt::format("--seed {}{}", options.seed, options.rebuild ? " --rebuild" : "");
    if (options.has_outbox()) text += fmt::format(" --mode {}", journal::name_of(options.mode));
    if (options.on != from_seed.on) {
        std::string list;
        for (std::size_t fault = 0; fault < faults; ++fault)
            if (options.on[fault]) list += fmt::format("{}{}", list.empty() ? "" : ",", names[fault]);
        text += fmt::format(" --faults {}", list.empty() ? "none" : list);
    }
    if (options.transactions != from_seed.transactions)
        text += fmt::format(" --transactions {}", options.transactions);
    if (options.strikes != from_seed.strikes) text += fmt::format(" --strikes {}", options.strikes);
    if (options.faults_end_ms != from_seed.faults_end_ms)
        text += fmt::format(" --faults-end-ms {}", options.faults_end_ms);
    if (options.strict) text += " --strict";
    return text;
}

Result<SimOptions> parse(std::span<const std::string> arguments) {
    if (arguments.size() < 2 || arguments[0] != "--seed")
        return fail(ErrorKind::invalid, "options begin with --seed N");
    const auto seed = number_of(arguments[0], arguments[1]);
    if (!seed) return std::unexpected(seed.error());
    const bool has_rebuild = arguments.size() > 2 && arguments[2] == "--rebuild";
    SimOptions options = has_rebuild ? rebuild_options_of(*seed) : options_of(*seed);
    for (std::size_t at = has_rebuild ? 3 : 2; at < arguments.size(); ++at) {
        if (arguments[at] == "--strict") {
            options.strict = true;
            continue;
        }
        if (at + 1 == arguments.size())
            return fail(ErrorKind::invalid, fmt::format("{} wants a value", arguments[at]));
        if (auto set = set_option(options, arguments[at], arguments[at + 1]); !set)
            return std::unexpected(std::move(set.error()));
        ++at;
    }
    return options;
}

std::string describe(const SimOptions& options) {
    std::string text = fmt::format(
        "{} transactions, {} entities, faults for {} ms, gc_deletes {} ms, limits: {} rows, {} bytes, {} "
        "open "
        "batches, {} requests, {} gaps; faults:",
        options.transactions, options.entities, options.faults_end_ms, options.gc_deletes_ms,
        options.limits.batch_rows_max, options.limits.batch_bytes_max, options.limits.batches_open_max,
        options.limits.requests_in_flight_max, options.limits.gaps_max);
    for (std::size_t fault = 0; fault < faults; ++fault)
        if (options.on[fault]) text += fmt::format(" {}", names[fault]);
    if (options.rebuild) text += "; with a rebuild";
    return text;
}

}  // namespace pawl::simulation
