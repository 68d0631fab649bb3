#include "tests/powerloss/cuts.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/core.h>

#include "tests/unit/journal/support.h"

namespace pawl::powerloss {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t cases_per_child = 48;
constexpr std::size_t findings_max = 20;
constexpr std::size_t lies_max = 40;

bool is_sync(TraceKind kind) {
    return kind == TraceKind::sync || kind == TraceKind::sync_range || kind == TraceKind::sync_folder;
}

enum class Promise : std::uint8_t { kept, rots, lied };

class Cutting {
  public:
    Cutting(const Trace& trace, const std::string& journal, const CutPlan& plan, std::string folder)
        : trace_(trace), journal_(journal), plan_(plan), folder_(std::move(folder)), chance_(plan.seed) {
        for (const TraceEvent& event : trace.events()) {
            if (event.kind == TraceKind::mark) all_.hear(event.data);
            if (event.kind == TraceKind::write) ++report_.writes;
            if (is_sync(event.kind)) ++report_.syncs;
        }
        const fs::path used_lock = fs::path(journal) / "lock.mdb";
        if (fs::exists(used_lock)) used_lock_ = journal::test::read_bytes(used_lock);
    }

    CutReport run();

  private:
    struct Expected {
        std::string loss;
        std::size_t event;
        Promise promise;
    };

    // How many of `wanted` cuts fall on the next of `left` places.
    std::size_t share(std::size_t& wanted, std::size_t left);
    void cut(std::string loss, std::size_t event, DiskState state, Promise promise = Promise::kept);
    DiskState rotten(DiskState state);
    void put_lock_file(DiskState& state);
    void judge_all();

    const Trace& trace_;
    const std::string& journal_;
    const CutPlan& plan_;
    std::string folder_;
    Chance chance_;
    States all_;  // of the whole trace
    States so_far_;
    std::string used_lock_;
    std::vector<Case> cases_;
    std::vector<Expected> expected_;
    CutReport report_;
};

std::size_t Cutting::share(std::size_t& wanted, std::size_t left) {
    std::size_t here = wanted / left;
    if (chance_.below(left) < wanted % left) ++here;
    here = std::min(here, wanted);
    wanted -= here;
    return here;
}

CutReport Cutting::run() {
    const auto& events = trace_.events();
    Disk disk;
    std::size_t boundaries = plan_.boundaries / 2;  // two states each
    std::size_t random = plan_.random;
    std::size_t lies = plan_.lies;
    std::size_t rot = plan_.rot;
    std::size_t syncs_left = report_.syncs;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (is_sync(events[i].kind) && share(boundaries, syncs_left--) > 0) {
            cut("before a sync, none", i, disk.after(Loss::all, chance_));
            cut("before a sync, all", i, disk.after(Loss::nothing, chance_));
        }
        for (std::size_t count = share(random, events.size() - i); count > 0; --count) {
            const auto loss =
                static_cast<Loss>(2 + chance_.below(static_cast<std::uint64_t>(Loss::count_of_them) - 2));
            cut(std::string(name_of(loss)), i, disk.after(loss, chance_));
        }
        for (std::size_t count = share(lies, events.size() - i); count > 0; --count)
            cut("a disk that lies", i, disk.after_lies(1 + chance_.below(lies_max), chance_), Promise::lied);
        for (std::size_t count = share(rot, events.size() - i); count > 0; --count)
            cut("a disk that rots", i, rotten(disk.after(Loss::nothing, chance_)), Promise::rots);
        disk.put(events[i]);
        if (events[i].kind == TraceKind::mark) so_far_.hear(events[i].data);
    }
    judge_all();
    if (!all_.complaint().empty()) report_.findings.push_back(all_.complaint());
    return std::move(report_);
}

void Cutting::cut(std::string loss, std::size_t event, DiskState state, Promise promise) {
    // Between two events of a burst nothing may have been written: any cut there is at the same moment.
    put_lock_file(state);
    Case one{.folder = fmt::format("{}/{}", folder_, cases_.size()),
             .at_least = so_far_.acknowledged(),
             .at_most = so_far_.tried(),
             .world_seed = {}};
    write_state(state, journal_, one.folder);
    if (plan_.world_seed && promise == Promise::kept) {
        one.world_seed = plan_.world_seed;
        one.world_commit = so_far_.acknowledged() + 1;
    }
    cases_.push_back(std::move(one));
    expected_.push_back({std::move(loss), event, promise});
    if (cases_.size() == cases_per_child) judge_all();
}

// One to three flipped bits, anywhere in the file or in the heads of its pages; or the file ends early.
DiskState Cutting::rotten(DiskState state) {
    const auto found = state.find(journal_ + "/data.mdb");
    if (found == state.end() || found->second.empty()) return state;
    std::string& bytes = found->second;
    constexpr std::uint64_t page_bytes = 4096;
    constexpr std::uint64_t head_bytes = 160;
    if (chance_.one_in(4)) {
        const std::uint64_t pages = chance_.below(bytes.size() / page_bytes + 1);
        bytes.resize(pages * page_bytes + (chance_.one_in(2) ? chance_.below(page_bytes) : 0));
        return state;
    }
    for (std::uint64_t flips = 1 + chance_.below(3); flips > 0; --flips) {
        std::uint64_t at = chance_.below(bytes.size());
        if (chance_.one_in(2)) at = at / page_bytes * page_bytes + at % head_bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << chance_.below(8));
    }
    return state;
}

// LMDB maps its table of readers, which the trace does not see: any part of it may be on the disk.
void Cutting::put_lock_file(DiskState& state) {
    const auto found = state.find(journal_ + "/lock.mdb");
    if (found == state.end()) return;
    std::string content(used_lock_.size(), '\0');
    const auto choice = chance_.below(4);
    if (choice == 0) content.clear();
    if (choice >= 2)
        for (std::size_t at = 0; at < content.size(); at += sector_bytes)
            if (choice == 2 || chance_.one_in(2))
                content.replace(at, sector_bytes, used_lock_, at, sector_bytes);
    found->second = content;
}

void Cutting::judge_all() {
    const auto verdicts = judge(cases_, all_);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const Verdict& verdict = verdicts[i];
        const Expected& expected = expected_[i];
        const Case& one = cases_[i];
        ++report_.outcomes[expected.loss][verdict.outcome];
        const bool is_lost = verdict.outcome == Outcome::fine && verdict.number < one.at_least;
        if (is_lost) ++report_.lost[expected.loss];
        const bool honest = verdict.outcome == Outcome::damaged || verdict.outcome == Outcome::refused;
        const bool in_range = !is_lost && verdict.number <= one.at_most;
        bool sound = verdict.outcome == Outcome::fine && (in_range || expected.promise == Promise::lied);
        if (expected.promise != Promise::kept) sound = sound || honest;
        if (sound || report_.findings.size() >= findings_max) continue;
        report_.findings.push_back(fmt::format("event {}, {}: {}: state {}, at least {}, at most {}: {}",
                                               expected.event, expected.loss, name_of(verdict.outcome),
                                               verdict.number, one.at_least, one.at_most, verdict.text));
    }
    cases_.clear();
    expected_.clear();
}

}  // namespace

std::size_t CutReport::states() const {
    std::size_t sum = 0;
    for (const auto& [loss, counts] : outcomes)
        for (const auto& [outcome, count] : counts)
            sum += count;
    return sum;
}

std::size_t CutReport::count(Outcome outcome) const {
    std::size_t sum = 0;
    for (const auto& [loss, counts] : outcomes)
        if (const auto found = counts.find(outcome); found != counts.end()) sum += found->second;
    return sum;
}

void CutReport::add(const CutReport& other) {
    for (const auto& [loss, counts] : other.outcomes)
        for (const auto& [outcome, count] : counts)
            outcomes[loss][outcome] += count;
    for (const auto& [loss, count] : other.lost)
        lost[loss] += count;
    writes += other.writes;
    syncs += other.syncs;
    findings.insert(findings.end(), other.findings.begin(), other.findings.end());
}

std::string to_string(const CutReport& report) {
    std::string text = fmt::format("{} writes and {} syncs recorded, {} states\n", report.writes,
                                   report.syncs, report.states());
    for (const auto& [loss, counts] : report.outcomes) {
        text += fmt::format("  {:<20}", loss);
        for (const auto& [outcome, count] : counts)
            text += fmt::format(" {} {}", count, name_of(outcome));
        if (const auto found = report.lost.find(loss); found != report.lost.end())
            text += fmt::format(" ({} without an acknowledged commit)", found->second);
        text += "\n";
    }
    for (const std::string& finding : report.findings)
        text += "  FINDING " + finding + "\n";
    return text;
}

CutReport cut_power(const Trace& trace, const std::string& journal, const CutPlan& plan,
                    const std::string& folder) {
    return Cutting(trace, journal, plan, folder).run();
}

}  // namespace pawl::powerloss
