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

}  // namespace pawl
