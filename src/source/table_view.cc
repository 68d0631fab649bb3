#include "source/table_view.h"

#include <utility>

#include "source/outbox_layout.h"
#include "source/server_role.h"
#include "source/shape.h"

namespace pawl::source {

Result<TableView> TableView::open(const config::MariaDb& settings, const config::Pipeline& pipeline,
                                  Interrupt& interrupt) {
    auto opened = ViewConnection::open(settings, interrupt);
    if (!opened) return std::unexpected(std::move(opened.error()));
    const auto connection = opened->get();
    if (!connection) return std::unexpected(connection.error());
    const auto fit = fit_outbox(**connection, settings, pipeline);
    if (!fit) return std::unexpected(fit.error());
    const OutboxLayout& layout = fit->layout;
    TableView view(std::move(*opened));
    const RowShape shape = present_shape_of(layout.present(), pipeline);
    view.reader_ = std::make_unique<OutboxReader>(layout, pipeline);
    view.builder_ = std::make_unique<DocumentBuilder>(shape);
    view.entities_ = std::make_unique<TableEntities>(layout, shape);
    view.clean_up_ = std::make_unique<OutboxCleanUp>(layout);
    return view;
}

Result<engine::Revision> TableView::history_end() {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    if (auto done = catch_up_with_cluster(**connection); !done)
        return std::unexpected(std::move(done.error()));
    return reader_->history_end(**connection);
}

Result<std::shared_ptr<const engine::Page>> TableView::read(const std::string& after, std::uint32_t rows_max,
                                                            std::uint64_t bytes_max) {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    return reader_->read(
        **connection,
        {.id = 0, .revisions = {}, .rows_max = rows_max, .bytes_max = bytes_max, .table_after = after});
}

Result<EntitiesNow> TableView::look_at(std::span<const std::string> ids) {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    return entities_->look_at(**connection, ids, *builder_);
}

Result<void> TableView::add_rows(std::span<const std::string> ids) {
    const auto connection = connection_.get();
    if (!connection) return std::unexpected(connection.error());
    const auto added = clean_up_->run(**connection, {.entities = {ids.begin(), ids.end()}});
    if (!added) return std::unexpected(added.error());
    return {};
}

}  // namespace pawl::source
