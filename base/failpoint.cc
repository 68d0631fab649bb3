#include "base/failpoint.h"

#ifdef PAWL_FAILPOINTS

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include <fmt/core.h>

namespace pawl::failpoint {
namespace {

struct Armed {
    std::string name;
    std::atomic<int> hits_left = 0;
};

Armed& armed() {
    static Armed instance;
    return instance;
}

// For PAWL_FAILPOINT=count.
struct Counts {
    std::atomic<bool> wanted = false;
    std::mutex mutex;
    std::map<std::string, int, std::less<>> hits;
};

Counts& counts() {
    static Counts instance;
    return instance;
}

void count(std::string_view name) {
    const std::lock_guard lock(counts().mutex);
    if (const auto found = counts().hits.find(name); found != counts().hits.end()) ++found->second;
}

void print_counts() {
    const std::lock_guard lock(counts().mutex);
    for (const auto& [name, hits] : counts().hits)
        std::fprintf(stderr, "failpoint %s %d\n", name.c_str(), hits);
}

void begin_to_count(const std::vector<std::string>& known) {
    for (const std::string& name : known)
        counts().hits.emplace(name, 0);
    counts().wanted = true;
    std::atexit(print_counts);
}

}  // namespace

Result<void> arm(const std::vector<std::string>& known) {
    const char* const setting = std::getenv("PAWL_FAILPOINT");
    if (setting == nullptr) return {};
    const std::string_view text = setting;
    if (text == "count") {
        begin_to_count(known);
        return {};
    }
    const auto colon = text.rfind(':');
    int hits = 0;
    const auto count = colon == text.npos ? std::string_view{} : text.substr(colon + 1);
    const auto parsed = std::from_chars(count.data(), count.data() + count.size(), hits);
    const std::string name(text.substr(0, std::min(colon, text.size())));
    if (parsed.ec != std::errc{} || hits < 1 || std::find(known.begin(), known.end(), name) == known.end())
        return fail(ErrorKind::invalid,
                    fmt::format("PAWL_FAILPOINT={} names no crash point of this binary", text),
                    "list them with: pawl version --failpoints");
    armed().name = name;
    armed().hits_left = hits;
    return {};
}

void hit(std::string_view name) {
    if (counts().wanted) count(name);
    if (armed().name != name || armed().hits_left.fetch_sub(1) != 1) return;
    std::fprintf(stderr, "failpoint %s\n", armed().name.c_str());
    std::fflush(stderr);
    ::kill(::getpid(), SIGKILL);
    ::pause();
}

}  // namespace pawl::failpoint

#endif
