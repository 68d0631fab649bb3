#include "ops/feed_progress.h"

#include <utility>

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

void FeedProgress::look(const Place& place, TimeMs now) {
    const bool of_rows = place.of == Of::rows;
    if (!of_rows && (place.end == 0 || place.done >= place.end)) return before_.reset();
    const bool is_anew = !before_ || before_->place.of != place.of || place.done < before_->place.done;
    const bool stands_still = !is_anew && place.done == before_->place.done;
    if (is_anew || (stands_still && now >= before_->at + limits::progress_standstill_ms)) {
        before_ = Seen{place, now};
        return;
    }
    if (stands_still || now < before_->at + limits::progress_interval_ms) return;
    const Seen before = *std::exchange(before_, Seen{place, now});
    // Doubles: a revision may be near 2^63, and these are for the eye only.
    const double done = static_cast<double>(place.done - before.place.done);
    const double rate = done * second_ms / static_cast<double>(now - before.at);
    const char* const unit = of_rows ? "rows" : "revisions";
    const bool has_end = place.done < place.end;
    std::string text = fmt::format("{}: ", doing_);
    if (has_end)
        text += fmt::format("{:.0f} % ({} of {}{} {})",
                            static_cast<double>(place.done) * percent / static_cast<double>(place.end),
                            place.done, of_rows ? "about " : "", place.end, unit);
    else
        text += fmt::format("{} {}", place.done, unit);
    text += fmt::format(", {:.0f} {}/s", rate, unit);
    if (has_end && rate > 0)
        text +=
            fmt::format(", {} left", span_text(static_cast<std::uint64_t>(
                                         static_cast<double>(place.end - place.done) * second_ms / rate)));
    say_(text);
}

}  // namespace pawl::ops
