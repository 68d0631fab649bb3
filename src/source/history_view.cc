#include "source/history_view.h"

#include <utility>

#include <fmt/format.h>

#include "source/check.h"
#include "source/server_role.h"

namespace pawl::source {

Result<HistoryView> HistoryView::open(config::MariaDb settings, const config::Pipeline& pipeline,
                                      DocumentsRead documents, Interrupt& interrupt) {
    auto connection = Connection::open(settings, interrupt);
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto server = server_identity(*connection);
    if (!server) return std::unexpected(std::move(server.error()));
    const auto table = fit_table(*connection, settings, pipeline);
    if (!table) return std::unexpected(table.error());
    HistoryView view(std::move(settings), interrupt, std::move(*connection), std::move(*server));
    view.reader_ = std::make_unique<Reader>(*table, pipeline, documents);
    view.entity_rows_ = std::make_unique<EntityRows>(*table, pipeline.source);
    return view;
}

Result<void> HistoryView::reconnect_if_abandoned() {
    if (connection_.is_open()) return {};
    auto opened = Connection::open(settings_, *interrupt_);
    if (!opened) return std::unexpected(std::move(opened.error()));
    auto server = server_identity(*opened);
    if (!server) return std::unexpected(std::move(server.error()));
    connection_ = std::move(*opened);
    if (*server == server_) return {};
    return fail(ErrorKind::unavailable,
                fmt::format("{} is another server now: {}, not {}", connection_.place(), *server, server_),
                "run it again");
}

Result<engine::Revision> HistoryView::history_end() {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    return reader_->history_end(connection_);
}

Result<std::shared_ptr<const engine::Page>> HistoryView::read(const engine::ReadRequest& request) {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    return reader_->read(connection_, request);
}

Result<engine::LookUpAnswer> HistoryView::look_up(const engine::LookUpRequest& request) {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    return reader_->look_up(connection_, request);
}

Result<std::vector<std::optional<engine::Revision>>> HistoryView::latest_of(
    std::span<const std::string> ids) {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    return entity_rows_->latest(connection_, ids);
}

}  // namespace pawl::source
