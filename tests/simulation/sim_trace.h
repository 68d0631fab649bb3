// Tells a run step by step, for a person who wants to see how it went wrong. Costs next to nothing when
// nobody listens.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "engine/request.h"
#include "journal/change.h"
#include "tests/simulation/sim_clock.h"

namespace pawl::simulation {

class SimTrace {
  public:
    explicit SimTrace(const SimClock& clock) : clock_(clock), began_(clock.now()) {}

    // Null: nobody listens. The stream must outlive the trace.
    void listen(std::ostream* listener) { listener_ = listener; }
    bool on() const { return listener_ != nullptr; }

    // `who`: "writer", "source", "index", "pawl 3" …
    template <class... Arguments>
    void say(std::string_view who, fmt::format_string<Arguments...> text, Arguments&&... arguments) const {
        if (on()) line(who, fmt::format(text, std::forward<Arguments>(arguments)...));
    }

  private:
    void line(std::string_view who, std::string_view text) const;

    const SimClock& clock_;
    TimeMs began_;
    std::ostream* listener_ = nullptr;
};

// For people: "{5-9 12}", "OpenBatch lex/4 {5-9} high 9 gaps {7}", "e3@7 index, e4@9 remove".
std::string in_words(const engine::IntervalSet& revisions);
std::string in_words(const journal::Change& change);
std::string in_words(std::span<const engine::Row> rows);
std::string in_words(std::span<const engine::ItemResult> items);

}  // namespace pawl::simulation
