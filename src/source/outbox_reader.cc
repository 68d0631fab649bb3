#include "source/outbox_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/time.h"
#include "source/key_value.h"
#include "source/limits.h"
#include "source/present_rows.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

// "SELECT `changed`.`id`, … FROM the outbox LEFT JOIN the rows … WHERE ". Each row of the outbox gives at
// least one row: without a present row one of NULLs.
std::string select_statement(const OutboxLayout& layout, const RowShape& shape) {
    std::vector<std::string> same;
    same.reserve(layout.key.size());
    for (const KeyColumn& column : layout.key)
        same.push_back(same_value(column.present, "`present`." + identifier(column.present.name),
                                  column.outbox, "`changed`." + identifier(column.outbox.name)));
    const std::string hint = layout.view ? "" : fmt::format(" FORCE INDEX ({})", identifier(layout.key_name));
    return fmt::format(
        "SELECT `changed`.`id`, {} FROM {} AS `changed` FORCE INDEX (PRIMARY) LEFT JOIN {} AS `present`{} ON "
        "{} WHERE ",
        fmt::join(std::span(shape.select).subspan(1), ", "), layout.outbox_name(),
        table_identifier(layout.present().database, layout.present().name), hint, fmt::join(same, " AND "));
}

// How large the documents of these rows are.
std::uint64_t bytes_of(std::span<const engine::Row> rows) {
    std::uint64_t bytes = 0;
    for (const engine::Row& row : rows)
        bytes += row.document.size();
    return bytes;
}

// What the page covers, and as which revision: each entity's highest among the rows of this page, not of the
// whole outbox. With the latter two pages could say different things of one entity under one version.
void add_covered(const Changes& changes, std::span<engine::Row> rows, engine::Page& page) {
    if (rows.size() < changes.entities.size()) page.covered_through = changes.entities[rows.size()].first - 1;
    for (const auto& [revision, entity] : changes.rows) {
        if (revision > page.covered_through) break;
        page.seen.insert(revision);
        rows[entity].revision = revision;
    }
    for (const engine::Row& row : rows)
        page.add_owned(row);
}

}  // namespace

OutboxReader::OutboxReader(const OutboxLayout& layout, const config::Pipeline& pipeline)
    : builder_(present_shape_of(layout.present(), pipeline)),
      changes_(layout),
      pages_(layout, builder_.shape()),
      select_(select_statement(layout, builder_.shape())),
      counter_(layout),
      shape_(digest_of(builder_.shape())),
      rows_estimate_(layout.table.rows_estimate),
      sizes_(layout.table.row_bytes_mean) {}

Result<std::shared_ptr<const engine::Page>> OutboxReader::read(Connection& connection,
                                                               const engine::ReadRequest& request) {
    PAWL_ASSERT(request.rows_max >= 1 && request.beside == 0);
    auto page = std::make_shared<engine::Page>();
    page->read_at = clock_now();
    page->shape = shape_;
    sizes_.begin_page();
    auto begun = connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    if (!begun) return std::unexpected(std::move(begun.error()));
    failpoint::at("before:read_rows");
    auto done = request.table_after ? pages_.read(connection, request, builder_, sizes_, *page)
                                    : read_changed(connection, request, *page);
    if (!done) return std::unexpected(std::move(done.error()));
    if (connection.is_open()) {
        auto ended = connection.execute("COMMIT");
        if (!ended) return std::unexpected(std::move(ended.error()));
    }
    failpoint::at("after:read_rows");
    if (sizes_.largest() > limits::row_bytes_kept_max) connection.abandon();
    return page;
}

Result<void> OutboxReader::read_changed(Connection& connection, const engine::ReadRequest& request,
                                        engine::Page& page) {
    const auto changes = changes_.read(connection, request.revisions, request.rows_max);
    if (!changes) return std::unexpected(changes.error());
    auto rows = read_present(connection, changes->entities, request.bytes_max, page);
    if (!rows) return std::unexpected(std::move(rows.error()));
    page.covered_through = changes->covered_through;
    add_covered(*changes, *rows, page);
    page.complete = page.covered_through == request.revisions.highest();
    return {};
}

// The rows of the first entities, in their order, until bytes_max is passed. Where one value makes the whole
// statement fail, portions get smaller until it stands alone.
Result<std::vector<engine::Row>> OutboxReader::read_present(Connection& connection,
                                                            std::span<const ChangedEntity> entities,
                                                            std::uint64_t bytes_max, engine::Page& page) {
    std::vector<engine::Row> rows;
    std::uint64_t portion = limits::revisions_per_statement_max;
    for (std::uint64_t bytes = 0; rows.size() < entities.size() && bytes <= bytes_max && connection.is_open();
         bytes = bytes_of(rows)) {
        const std::size_t before = rows.size();
        const auto left = entities.subspan(before);
        const auto chunk =
            left.first(std::min<std::uint64_t>({left.size(), portion, sizes_.rows_for(bytes_max - bytes)}));
        const auto taken = take(connection, chunk, bytes_max - bytes, page, rows);
        if (taken) {
            portion = std::min<std::uint64_t>(2 * portion, limits::revisions_per_statement_max);
            continue;
        }
        if (!connection.value_is_to_blame()) return std::unexpected(taken.error());
        rows.resize(before);
        portion = std::max<std::uint64_t>(chunk.size() / 2, 1);
        if (chunk.size() == 1) rows.push_back(invalid_row(chunk[0].id, document_failed(taken.error()), page));
    }
    return rows;
}

Result<void> OutboxReader::take(Connection& connection, std::span<const ChangedEntity> entities,
                                std::uint64_t bytes_max, engine::Page& page, std::vector<engine::Row>& rows) {
    const auto add_problems = [&] {
        for (; !entities.empty() && entities[0].problem; entities = entities.subspan(1))
            rows.push_back(invalid_row(entities[0].id, *entities[0].problem, page));
    };
    add_problems();
    if (entities.empty()) return {};
    auto found = connection.query(present_statement(entities));
    if (!found) return std::unexpected(std::move(found.error()));
    engine::Revision before = 0;
    std::uint64_t bytes = 0;
    for (;;) {
        const auto more = found->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        failpoint::at("during:read_rows");
        sizes_.note(*found);
        const engine::Revision first = revision_in(found->value(0).value_or(""));
        if (first == before) {
            rows.back() = invalid_row(rows.back().entity, several_rows(), page);
            continue;
        }
        if (bytes > bytes_max) {
            drain(connection, *found);
            break;
        }
        add_problems();
        PAWL_ASSERT(!entities.empty() && entities[0].first == first);
        rows.push_back(row_of(entities[0], {found->values(), found->lengths()}, page));
        bytes += rows.back().document.size();
        entities = entities.subspan(1);
        before = first;
    }
    sizes_.learn();
    if (bytes <= bytes_max) add_problems();
    if (bytes <= bytes_max && !entities.empty())
        return fail(ErrorKind::unavailable,
                    fmt::format("{}: rows of the outbox went away within one snapshot", connection.place()));
    return {};
}

engine::Row OutboxReader::row_of(const ChangedEntity& entity, const Cells& cells, engine::Page& page) {
    const bool is_there = cells.values[builder_.shape().entity.at] != nullptr;
    return is_there ? builder_.row_of(entity.id, cells, page) : removed_row(entity.id, page);
}

std::string OutboxReader::present_statement(std::span<const ChangedEntity> entities) const {
    engine::IntervalSet rows;
    for (const ChangedEntity& entity : entities)
        if (!entity.problem) rows.insert(entity.first);
    return fmt::format("{}{} ORDER BY `changed`.`id`", select_, among("`changed`.`id`", rows.intervals()));
}

Result<engine::Revision> OutboxReader::history_end(Connection& connection) const {
    return counter_.end(connection);
}

Result<engine::LookUpAnswer> OutboxReader::look_up(Connection& connection,
                                                   const engine::LookUpRequest& request) const {
    PAWL_ASSERT(request.anchors.empty());
    const auto end = history_end(connection);
    if (!end) return std::unexpected(end.error());
    engine::LookUpAnswer answer{.history_end = *end, .shape = shape_};
    for (const auto& version : request.versions)
        answer.versions.push_back(version.revision <= *end);
    return answer;
}

}  // namespace pawl::source
