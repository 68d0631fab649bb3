#include "base/time.h"

#include <ctime>

#include <chrono>

#include <fmt/core.h>

namespace pawl {
namespace {

TimeMs read_clock(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return TimeMs{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

TimeMs clock_now() {
    static const TimeMs boot_time = read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME);
    return boot_time + read_clock(CLOCK_BOOTTIME);
}

std::string to_iso8601(TimeMs time) {
    // The years that format as four digits; a damaged journal can hold any number.
    constexpr TimeMs year_0 = -62'167'219'200'000;
    constexpr TimeMs year_10000 = 253'402'300'800'000;
    if (time < year_0 || time >= year_10000) return fmt::format("{} ms", time);

    using namespace std::chrono;
    const sys_time<milliseconds> instant{milliseconds{time}};
    const auto day = floor<days>(instant);
    const year_month_day date{day};
    const hh_mm_ss clock{instant - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

std::optional<TimeMs> from_iso8601(std::string_view text) {
    constexpr std::string_view pattern = "0000-00-00T00:00:00.000Z";
    if (text.size() != pattern.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i]) return std::nullopt;
    const auto number = [&](std::size_t from, std::size_t digits) {
        int value = 0;
        for (const char digit : text.substr(from, digits))
            value = 10 * value + (digit - '0');
        return value;
    };
    using namespace std::chrono;
    const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                              day{static_cast<unsigned>(number(8, 2))}};
    if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return std::nullopt;
    const auto instant = sys_days{date} + hours{number(11, 2)} + minutes{number(14, 2)} +
                         seconds{number(17, 2)} + milliseconds{number(20, 3)};
    return duration_cast<milliseconds>(instant.time_since_epoch()).count();
}

}  // namespace pawl
