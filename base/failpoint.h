// Crash points for the crash tests: at the n-th hit of the chosen one the process prints its name and kills
// itself with SIGKILL. Compiled in only with PAWL_FAILPOINTS; in a release build there is nothing of them.
//
// Chosen by the environment: PAWL_FAILPOINT=<name>:<n>. A name is "before:<effect>" or "after:<effect>", made
// from the engine's effects by the runner, or one of `adapter_points`. An unknown name refuses to start.
// PAWL_FAILPOINT=count kills nothing: at its end the process prints "failpoint <name> <hits>" for all of
// them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pawl::failpoint {

// The places within adapters that no effect of the engine shows.
inline constexpr std::array<std::string_view, 47> adapter_points{
    // The journal: made at the first start (its folder is there; the file is whole, beside its place; it is
    // in
    // its place, which may not be on disk yet), opened, written, pruned. "during" is within a transaction.
    "before:make_journal",
    "during:make_journal",
    "after:make_journal",
    "after:lock_journal",
    "after:open_journal",
    "during:commit",
    "during:quarantine",
    "before:prune",
    "after:prune",
    // The source's thread.
    "after:connect",
    "before:look_at_table",
    "after:look_at_table",
    "before:read_rows",
    "during:read_rows",
    "after:read_rows",
    "before:read_latest",
    "after:read_latest",
    // Before each statement and before COMMIT; after it.
    "during:clean_up",
    "after:commit_clean_up",
    "before:prove",
    "after:prove",
    // The index. "after:send_request": all of a request's body is with the kernel.
    "before:send_request",
    "after:send_request",
    "before:create_index",
    "after:create_index",
    "before:put_checkpoint",
    "after:put_checkpoint",
    "before:look_up",
    "after:look_up",
    "before:judge_answer",
    "after:judge_answer",
    // The steps of a rebuild.
    "before:finish_loading",
    "after:finish_loading",
    "before:swap_alias",
    "after:swap_alias",
    "before:forget_rebuild",
    "after:forget_rebuild",
    // … and those that concern the rows of an outbox.
    "before:make_kept_table",
    "after:make_kept_table",
    "before:raise_ids",
    "after:raise_ids",
    "before:hand_over",
    "after:hand_over",
    "before:drop_kept_table",
    "after:drop_kept_table",
    // An operator's request beside a running daemon: read, and its file removed.
    "before:remove_request",
    "after:remove_request",
};

// A name of `adapter_points`; any other does not compile.
class AdapterPoint {
  public:
    consteval AdapterPoint(const char* name) : name_(name) {
        for (const std::string_view point : adapter_points)
            if (point == name_) return;
        throw "not in adapter_points";
    }
    constexpr std::string_view name() const { return name_; }

  private:
    std::string_view name_;
};

#ifdef PAWL_FAILPOINTS

// Reads PAWL_FAILPOINT once, before any thread starts. `known` are all names that this binary can hit.
Result<void> arm(const std::vector<std::string>& known);

// Any thread. Does not return at the chosen hit of the chosen point.
void hit(std::string_view name);
inline void at(AdapterPoint point) {
    hit(point.name());
}

inline constexpr bool compiled_in = true;

#else

inline Result<void> arm(const std::vector<std::string>&) {
    return {};
}
inline void hit(std::string_view) {}
inline void at(AdapterPoint) {}
inline constexpr bool compiled_in = false;

#endif

}  // namespace pawl::failpoint
