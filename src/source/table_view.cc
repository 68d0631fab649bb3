#include "source/table_view.h"

#include <utility>

#include <fmt/format.h>

#include "source/outbox_layout.h"
#include "source/server_role.h"
#include "source/shape.h"

namespace pawl::source {

Result<TableView> TableView::open(config::MariaDb settings, const config::Pipeline& pipeline,
                                  Interrupt& interrupt) {
    auto connection = Connection::open(settings, interrupt);
    if (!connection) return std::unexpected(std::move(connection.error()));
    auto server = server_identity(*connection);
    if (!server) return std::unexpected(std::move(server.error()));
    const auto layout = fit_outbox(*connection, settings, pipeline);
    if (!layout) return std::unexpected(layout.error());
    TableView view(std::move(settings), interrupt, std::move(*connection), std::move(*server));
    const RowShape shape = present_shape_of(layout->present(), pipeline);
    view.reader_ = std::make_unique<OutboxReader>(*layout, pipeline);
    view.builder_ = std::make_unique<DocumentBuilder>(shape);
    view.entities_ = std::make_unique<TableEntities>(*layout, shape);
    view.clean_up_ = std::make_unique<OutboxCleanUp>(*layout);
    return view;
}

Result<void> TableView::reconnect_if_abandoned() {
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

Result<engine::Revision> TableView::history_end() {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    return reader_->history_end(connection_);
}

Result<std::shared_ptr<const engine::Page>> TableView::read(const std::string& after, std::uint32_t rows_max,
                                                            std::uint64_t bytes_max) {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    return reader_->read(
        connection_,
        {.id = 0, .revisions = {}, .rows_max = rows_max, .bytes_max = bytes_max, .table_after = after});
}

Result<EntitiesNow> TableView::look_at(std::span<const std::string> ids) {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    return entities_->look_at(connection_, ids, *builder_);
}

Result<void> TableView::add_rows(std::span<const std::string> ids) {
    if (auto open = reconnect_if_abandoned(); !open) return std::unexpected(std::move(open.error()));
    const auto added = clean_up_->run(connection_, {.entities = {ids.begin(), ids.end()}});
    if (!added) return std::unexpected(added.error());
    return {};
}

}  // namespace pawl::source
