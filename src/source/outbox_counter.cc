#include "source/outbox_counter.h"

#include <algorithm>

#include <fmt/core.h>

#include "journal/record.h"
#include "source/key_value.h"
#include "source/sql.h"

namespace pawl::source {

OutboxCounter::OutboxCounter(const OutboxLayout& layout)
    : counter_select_(fmt::format("SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                                  "{} AND TABLE_NAME = {}",
                                  text_literal(layout.outbox.database), text_literal(layout.outbox.name))),
      highest_select_(fmt::format("SELECT MAX(`id`) FROM {}", layout.outbox_name())) {}

// The counter lives in memory: after a restart the server begins behind the highest id that was ever
// inserted, which may be less than what it had handed out.
Result<engine::Revision> OutboxCounter::end(Connection& connection) const {
    const auto counter = connection.rows(counter_select_);
    if (!counter) return std::unexpected(counter.error());
    if (counter->empty() || !counter->front()[0])
        return fail(ErrorKind::unavailable,
                    fmt::format("{}: the outbox has no AUTO_INCREMENT counter", connection.place()));
    const engine::Revision handed_out = revision_in(*counter->front()[0]) - 1;
    const auto inserted = highest(connection);
    if (!inserted) return std::unexpected(inserted.error());
    return std::min(std::max(handed_out, *inserted), journal::revision_max);
}

Result<engine::Revision> OutboxCounter::highest(Connection& connection) const {
    const auto highest = connection.rows(highest_select_);
    if (!highest) return std::unexpected(highest.error());
    return revision_in(highest->front()[0].value_or("0"));
}

}  // namespace pawl::source
