#include "engine/runner.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/failpoint.h"

namespace pawl::engine {
namespace {

void crash_here(std::string_view when, std::string_view what) {
    if constexpr (failpoint::compiled_in) failpoint::hit(fmt::format("{}:{}", when, what));
}

void crash_here(std::string_view when, const std::vector<journal::Change>& changes) {
    if constexpr (!failpoint::compiled_in) return;
    crash_here(when, "write_journal");
    for (const journal::Change& change : changes)
        crash_here(when, fmt::format("write_journal/{}", journal::name_of(change)));
}

}  // namespace

Runner::Runner(JournalPort& journal, Observer& observer, Random& random, Clock clock)
    : journal_(journal), observer_(observer), random_(random), clock_(std::move(clock)) {}

std::size_t Runner::add(Pipeline pipeline, SourcePort& source, IndexPort& index, LeasePort& lease) {
    members_.push_back({std::move(pipeline), &source, &index, &lease, {}});
    return members_.size() - 1;
}

// A disk may take its time over a commit: what was confirmed before it, such as the lease, may be too old
// when what had waited for it goes out. So each round has a time of its own.
Result<void> Runner::handle(std::vector<Happened> events) {
    TimeMs now = clock_();
    // Timers first: what an event sets must not be taken for one that was due before.
    std::vector<Happened> due = due_timers(now);
    events.insert(events.begin(), std::make_move_iterator(due.begin()), std::make_move_iterator(due.end()));
    while (!events.empty()) {
        for (const Happened& happened : events) {
            PAWL_ASSERT(happened.pipeline < members_.size());
            for (Effect& effect : members_[happened.pipeline].pipeline.step(happened.event, now))
                carry_out(happened.pipeline, effect, now);
        }
        events.clear();
        if (auto written = write_journal(events); !written) return written;
        now = clock_();
    }
    return {};
}

std::vector<Happened> Runner::due_timers(TimeMs now) {
    std::vector<Happened> events;
    for (std::size_t number = 0; number < members_.size(); ++number) {
        auto& due = members_[number].due;
        for (auto timer = due.begin(); timer != due.end();) {
            if (timer->second > now) {
                ++timer;
                continue;
            }
            events.push_back({number, TimerFired{timer->first}});
            timer = due.erase(timer);
        }
    }
    return events;
}

// Journal changes wait for the end of the round; all else goes out at once, so that servers work while the
// disk does.
void Runner::carry_out(std::size_t number, Effect& effect, TimeMs now) {
    if (auto* write = std::get_if<WriteJournal>(&effect)) {
        std::move(write->changes.begin(), write->changes.end(), std::back_inserter(changes_));
        writes_.push_back({number, write->ticket});
        return;
    }
    Member& member = members_[number];
    crash_here("before", name_of(effect));
    if (std::get_if<AskLease>(&effect) != nullptr) {
        member.lease->ask();
    } else if (std::get_if<PrepareSource>(&effect) != nullptr) {
        member.source->prepare();
    } else if (std::get_if<PrepareTarget>(&effect) != nullptr) {
        member.index->prepare();
    } else if (auto* read = std::get_if<ReadPage>(&effect)) {
        member.source->read(std::move(read->request));
    } else if (std::get_if<ProveGaps>(&effect) != nullptr) {
        member.source->prove();
    } else if (auto* clean_up = std::get_if<CleanUp>(&effect)) {
        member.source->clean_up(std::move(clean_up->request));
    } else if (auto* look_up = std::get_if<LookUp>(&effect)) {
        member.source->look_up(std::move(look_up->request));
    } else if (auto* send = std::get_if<SendBulk>(&effect)) {
        member.index->send(std::move(send->request));
    } else if (auto* write = std::get_if<WriteCheckpoint>(&effect)) {
        member.index->remember(std::move(write->remembered), write->index_uuid);
    } else if (const auto* timer = std::get_if<SetTimer>(&effect)) {
        PAWL_ASSERT(timer->delay_min_ms <= timer->delay_max_ms);
        const auto span = static_cast<std::uint64_t>(timer->delay_max_ms - timer->delay_min_ms) + 1;
        member.due[timer->timer] = now + timer->delay_min_ms + static_cast<TimeMs>(random_.below(span));
    } else if (const auto* notice = std::get_if<Notice>(&effect)) {
        observer_.notice(member.pipeline.name(), *notice);
    } else if (const auto* report = std::get_if<ReportRecovery>(&effect)) {
        observer_.recovered(member.pipeline.name(), *report);
    } else {
        member.due.clear();
        member.lease->give_back();
        observer_.finished(member.pipeline.name(), std::get<Finish>(effect));
    }
    crash_here("after", name_of(effect));
}

Result<void> Runner::write_journal(std::vector<Happened>& events) {
    if (writes_.empty()) return {};
    crash_here("before", changes_);
    if (auto committed = journal_.commit(changes_); !committed) return committed;
    crash_here("after", changes_);
    changes_.clear();
    for (const Write& write : std::exchange(writes_, {}))
        events.push_back({write.pipeline, JournalWritten{write.ticket}});
    return {};
}

std::optional<TimeMs> Runner::next_due() const {
    std::optional<TimeMs> next;
    for (const Member& member : members_)
        for (const auto& [timer, due] : member.due)
            if (!next || due < *next) next = due;
    return next;
}

bool Runner::finished() const {
    return std::all_of(members_.begin(), members_.end(),
                       [](const Member& member) { return member.pipeline.finished(); });
}

std::vector<std::string> crash_points() {
    std::vector<std::string> points;
    const auto add = [&](std::string_view what) {
        points.push_back(fmt::format("before:{}", what));
        points.push_back(fmt::format("after:{}", what));
    };
    for (const std::string_view effect : effect_names())
        add(effect);
    for (const std::string_view change : journal::change_names())
        add(fmt::format("write_journal/{}", change));
    return points;
}

}  // namespace pawl::engine
