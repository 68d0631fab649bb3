#include "source/history_view.h"

#include <utility>

#include "source/check.h"

namespace pawl::source {

Result<HistoryView> HistoryView::open(const config::MariaDb& settings, const config::Pipeline& pipeline,
                                      DocumentsRead documents, Interrupt& interrupt) {
    auto opened = ViewConnection::open(settings, interrupt);
    if (!opened) return std::unexpected(std::move(opened.error()));
    const auto connection = opened->get();
    if (!connection) return std::unexpected(connection.error());
    const auto table = fit_table(**connection, settings, pipeline);
    if (!table) return std::unexpected(table.error());
    HistoryView view(std::move(*opened));
    view.reader_ = std::make_unique<Reader>(*table, pipeline, documents);
    view.entity_rows_ = std::make_unique<EntityRows>(*table, pipeline.source);
    return view;
}

Result<engine::Revision> HistoryView::history_end() {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    return reader_->history_end(**connection);
}

Result<std::shared_ptr<const engine::Page>> HistoryView::read(const engine::ReadRequest& request) {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    return reader_->read(**connection, request);
}

Result<engine::LookUpAnswer> HistoryView::look_up(const engine::LookUpRequest& request) {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    return reader_->look_up(**connection, request);
}

Result<std::vector<std::optional<engine::Revision>>> HistoryView::latest_of(
    std::span<const std::string> ids) {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    return entity_rows_->latest(**connection, ids);
}

}  // namespace pawl::source
