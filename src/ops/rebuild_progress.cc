#include "ops/rebuild_progress.h"

#include <fmt/core.h>

#include "ops/limits.h"

namespace pawl::ops {
namespace {

constexpr std::uint64_t second_ms = 1'000;
constexpr std::uint64_t percent = 100;

std::string span_text(std::uint64_t ms) {
    const std::uint64_t seconds = ms / second_ms;
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 7'200) return fmt::format("{} min", seconds / 60);
    return fmt::format("{} h {} min", seconds / 3'600, seconds / 60 % 60);
}

}  // namespace

void RebuildProgress::look(const Place& place, TimeMs now) {
    if (place.end == 0 || place.high >= place.end) return;
    if (!first_) {
        first_ = Seen{place.high, now};
        said_at_ = now;
        return;
    }
    if (now < said_at_ + limits::progress_interval_ms) return;
    said_at_ = now;
    // Doubles: a revision may be near 2^63, and these are for the eye only.
    const double done = static_cast<double>(place.high - first_->high);
    const double rate = done * second_ms / static_cast<double>(now - first_->at);
    std::string text = fmt::format("{}: {:.0f} % (revision {} of {}), {:.0f} revisions/s", doing_,
                                   static_cast<double>(place.high) * percent / static_cast<double>(place.end),
                                   place.high, place.end, rate);
    if (rate > 0)
        text +=
            fmt::format(", {} left", span_text(static_cast<std::uint64_t>(
                                         static_cast<double>(place.end - place.high) * second_ms / rate)));
    say_(text);
}

void RebuildProgress::look_at_rows(std::uint64_t rows, TimeMs now) {
    if (now < said_at_ + limits::progress_interval_ms) return;
    if (said_at_ > 0) say_(fmt::format("{}: {} rows", doing_, rows));
    said_at_ = now;
}

}  // namespace pawl::ops
