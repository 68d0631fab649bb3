#include "source/trigger_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace pawl::source {

Result<std::optional<Error>> TriggerWatch::look(Connection& connection) const {
    const auto gone = triggers_gone(connection, database_, before_);
    if (!gone) return std::unexpected(gone.error());
    if (gone->empty()) return std::nullopt;
    return Error{
        ErrorKind::invalid,
        fmt::format("triggers of the outbox {}.{} are gone since the pipeline began (or the right to see "
                    "them is), so that changes are not seen: {}",
                    database_, outbox_, fmt::join(*gone, ", ")),
        fmt::format("{}, start pawl again, then `pawl verify --repair` for what has changed meanwhile",
                    run_outbox_sql)};
}

Result<TriggerWatch> TriggerWatch::begin(Connection& connection, const config::MariaDb& settings,
                                         const config::Pipeline& pipeline) {
    const config::Outbox& outbox = *pipeline.source.outbox;
    TriggerWatch watch(settings.database, outbox.table);
    if (outbox.writer != config::OutboxWriter::triggers) return watch;
    auto triggers = look_at_outbox_triggers(connection, settings.database, pipeline.source);
    if (!triggers) return std::unexpected(std::move(triggers.error()));
    watch.before_ = std::move(*triggers);
    return watch;
}

}  // namespace pawl::source
