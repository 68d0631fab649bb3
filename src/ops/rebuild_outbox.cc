#include "ops/rebuild_outbox.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/failpoint.h"
#include "index/rebuild_index.h"
#include "source/lease.h"
#include "source/limits.h"
#include "source/outbox_layout.h"
#include "source/outbox_reader.h"
#include "source/server_role.h"
#include "source/sql.h"
#include "source/table.h"

namespace pawl::ops {

config::Pipeline with_kept_outbox(config::Pipeline pipeline) {
    if (!pipeline.source.outbox) return pipeline;
    config::Outbox& outbox = *pipeline.source.outbox;
    outbox.kept_from = outbox.table;
    outbox.writer = config::OutboxWriter::application;  // clean-ups write into it, no triggers
    outbox.table = source::kept_table_of(outbox.table);
    return pipeline;
}

Result<RebuildOutbox> RebuildOutbox::open(const config::Config& config, const config::Pipeline& pipeline,
                                          source::Interrupt& interrupt) {
    auto connection = source::Connection::open(config.mariadb, interrupt);
    if (!connection) return std::unexpected(std::move(connection.error()));
    // Ids and rows of before may be another node's.
    if (auto done = source::catch_up_with_cluster(*connection); !done)
        return std::unexpected(std::move(done.error()));
    if (auto set = connection->execute(
            fmt::format("SET SESSION lock_wait_timeout = {0}, innodb_lock_wait_timeout = {0}",
                        source::limits::trigger_lock_wait_s));
        !set)
        return std::unexpected(std::move(set.error()));
    return RebuildOutbox(config.mariadb, pipeline, std::move(*connection));
}

Result<bool> RebuildOutbox::take_lease() {
    return source::take_locks(connection_, source::lease_locks(settings_.database, pipeline_));
}

Result<bool> RebuildOutbox::take_own_lease() {
    config::Pipeline own = kept_;
    own.index.alias = index::rebuild_alias(pipeline_.index.alias);
    return source::take_locks(connection_, source::lease_locks(settings_.database, own));
}

std::string RebuildOutbox::kept_name() const {
    return source::table_identifier(settings_.database, kept_.source.outbox->table);
}

Result<bool> RebuildOutbox::is_there() {
    return source::is_there(connection_, settings_.database, kept_.source.outbox->table);
}

Result<void> RebuildOutbox::make_anew() {
    if (auto dropped = drop(); !dropped) return dropped;
    failpoint::at("before:make_kept_table");
    auto made = connection_.execute(
        fmt::format("CREATE TABLE {} LIKE {}", kept_name(),
                    source::table_identifier(settings_.database, pipeline_.source.outbox->table)));
    if (!made) return std::unexpected(with_advice(std::move(made.error())));
    failpoint::at("after:make_kept_table");
    return begin_above_outbox();
}

// So the new index says from its first fill on that it has all that was deleted before: also to a pawl whose
// journal is of an index before the one that is replaced. And a request that was meant for that one, and
// comes late, has a lower version than what is caught up.
Result<void> RebuildOutbox::begin_above_outbox() {
    const auto id = take_id();
    if (!id) return std::unexpected(id.error());
    const auto kept = cleaner_of(kept_);
    if (!kept) return std::unexpected(kept.error());
    return kept->raise_to(connection_, *id);
}

Result<void> RebuildOutbox::drop() {
    failpoint::at("before:drop_kept_table");
    auto dropped = connection_.execute(fmt::format("DROP TABLE IF EXISTS {}", kept_name()));
    if (!dropped) return std::unexpected(with_advice(std::move(dropped.error())));
    failpoint::at("after:drop_kept_table");
    return dropped;
}

Result<source::OutboxCleanUp> RebuildOutbox::cleaner_of(const config::Pipeline& pipeline) {
    const auto layout = source::describe_outbox(connection_, settings_, pipeline);
    if (!layout) return std::unexpected(layout.error());
    return source::OutboxCleanUp(*layout);
}

Result<void> RebuildOutbox::raise_ids(engine::Revision known) {
    const auto kept = source::describe_outbox(connection_, settings_, kept_);
    if (!kept) return std::unexpected(kept.error());
    const auto end = source::OutboxReader(*kept, kept_).history_end(connection_);
    if (!end) return std::unexpected(end.error());
    const auto cleaner = cleaner_of(pipeline_);
    if (!cleaner) return std::unexpected(cleaner.error());
    const auto now = cleaner->take_id(connection_);
    if (!now) return std::unexpected(now.error());
    const engine::Revision least = std::max(*end, known);
    failpoint::at("before:raise_ids");
    const auto raised = *now >= least ? Result<void>{} : cleaner->raise_to(connection_, least);
    failpoint::at("after:raise_ids");
    return raised;
}

Result<void> RebuildOutbox::hand_over() {
    const auto there = is_there();
    if (!there) return std::unexpected(there.error());
    if (!*there) return {};
    const auto from = cleaner_of(kept_);
    if (!from) return std::unexpected(from.error());
    const auto to = cleaner_of(pipeline_);
    if (!to) return std::unexpected(to.error());
    // No further: what is handed over comes back, when the daemon has fed it, and that has no end.
    const auto through = from->highest_of_all(connection_);
    if (!through) return std::unexpected(through.error());
    for (;;) {
        failpoint::at("before:hand_over");
        const auto more = from->hand_over(connection_, *to, *through);
        failpoint::at("after:hand_over");
        if (!more) return std::unexpected(more.error());
        if (!*more) return {};
    }
}

Result<engine::Revision> RebuildOutbox::take_id() {
    const auto cleaner = cleaner_of(pipeline_);
    if (!cleaner) return std::unexpected(cleaner.error());
    return cleaner->take_id(connection_);
}

Error RebuildOutbox::with_advice(Error error) const {
    if (error.kind == ErrorKind::forbidden)
        error.advice = fmt::format(
            "GRANT SELECT, INSERT, DELETE, CREATE, DROP ON {} TO the user that [mariadb] names; the daemon "
            "needs the first three of them, too",
            kept_name());
    return error;
}

}  // namespace pawl::ops
