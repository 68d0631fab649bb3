#include "source/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <unordered_set>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/time.h"
#include "source/latest.h"
#include "source/limits.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

// The size of a row as it came over the network.
std::uint64_t bytes_of(const ResultSet& rows, std::size_t columns) {
    std::uint64_t bytes = 0;
    for (std::size_t column = 0; column < columns; ++column)
        bytes += rows.lengths()[column];
    return bytes;
}

// Reads what is left, so that the connection can go on; or gives the connection up when that is much.
void drain(Connection& connection, ResultSet& rows) {
    std::uint64_t bytes = 0;
    const std::size_t columns = rows.columns();
    while (bytes <= limits::drain_bytes_max) {
        const auto more = rows.next();
        if (more && !*more) return;
        if (!more) break;
        bytes += bytes_of(rows, columns);
    }
    connection.abandon();
}

// Takes back the rows of entities that the page does not cover: they will come again with the page that does.
void drop_uncovered(engine::Page& page, std::span<const LatestFinder::Entity> entities) {
    std::unordered_set<engine::Revision> covered;
    for (const LatestFinder::Entity& entity : entities)
        if (entity.first <= page.covered_through) covered.insert(entity.latest);
    page.keep_rows([&](const engine::Row& row) { return covered.contains(row.revision); });
}

}  // namespace

Reader::Reader(const Table& table, const config::Pipeline& pipeline)
    : builder_(shape_of(table, pipeline)),
      latest_(table, pipeline.source),
      row_bytes_mean_(table.row_bytes_mean != 0 ? table.row_bytes_mean : limits::row_bytes_guess) {
    const Key* const key = unique_key_of(table, pipeline.source.revision);
    PAWL_ASSERT(key != nullptr);
    revision_ = identifier(builder_.shape().revision.column);
    select_ =
        fmt::format("SELECT {} FROM {} FORCE INDEX ({}) WHERE ", fmt::join(builder_.shape().select, ", "),
                    table_identifier(table.database, table.name), identifier(key->name));
    end_select_ = fmt::format("SELECT MAX({0}) FROM {1} WHERE {0} BETWEEN 1 AND {2}", revision_,
                              table_identifier(table.database, table.name), journal::revision_max);
}

Result<engine::Revision> Reader::history_end(Connection& connection) const {
    const auto rows = connection.rows(end_select_);
    if (!rows) return std::unexpected(rows.error());
    return revision_in(rows->front()[0].value_or("0"));
}

Result<std::shared_ptr<const engine::Page>> Reader::read(Connection& connection,
                                                         const engine::ReadRequest& request) {
    PAWL_ASSERT(!request.revisions.empty() && request.rows_max >= 1);
    const bool one_statement =
        !request.latest && request.revisions.intervals().size() <= limits::intervals_per_statement_max;
    auto page = std::make_shared<engine::Page>();
    page->read_at = clock_now();
    document_bytes_ = 0;
    row_bytes_largest_ = 0;
    if (!one_statement) {
        auto begun = connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        if (!begun) return std::unexpected(std::move(begun.error()));
    }
    if (request.latest)
        failpoint::at("before:read_latest");
    else
        failpoint::at("before:read_rows");
    auto done =
        request.latest ? read_latest(connection, request, *page) : read_rows(connection, request, *page);
    if (!done) return std::unexpected(std::move(done.error()));
    if (!one_statement && connection.is_open()) {
        auto ended = connection.execute("COMMIT");
        if (!ended) return std::unexpected(std::move(ended.error()));
    }
    if (request.latest)
        failpoint::at("after:read_latest");
    else
        failpoint::at("after:read_rows");
    page->complete = page->covered_through == request.revisions.highest();
    if (row_bytes_largest_ > limits::row_bytes_kept_max) connection.abandon();
    return page;
}

Result<void> Reader::read_rows(Connection& connection, const engine::ReadRequest& request,
                               engine::Page& page) {
    std::span<const engine::Interval> left = request.revisions.intervals();
    while (!left.empty()) {
        const auto chunk = left.first(std::min(left.size(), limits::intervals_per_statement_max));
        left = left.subspan(chunk.size());
        const std::uint64_t rows_max =
            std::min(request.rows_max - page.rows().size(), rows_for(request.bytes_max - document_bytes_));
        const auto taken = take(connection, chunk, rows_max, request.bytes_max, page);
        if (!taken) return std::unexpected(taken.error());
        for (std::size_t at = page.rows().size() - taken->rows; at < page.rows().size(); ++at)
            page.seen.insert(page.rows()[at].revision);
        if (taken->cut || taken->rows == rows_max) {
            page.covered_through = page.rows().back().revision;
            return {};
        }
        page.covered_through = chunk.back().last;
    }
    return {};
}

Result<void> Reader::read_latest(Connection& connection, const engine::ReadRequest& request,
                                 engine::Page& page) {
    auto asked = latest_.entities_among(connection, request.revisions, request.rows_max);
    if (!asked) return std::unexpected(std::move(asked.error()));
    const auto entities = std::span(asked->entities);
    page.covered_through = asked->covered_through;
    // The first one goes alone: whatever bytes_max says, a page must get further than the one before.
    std::uint64_t count = 1;
    for (std::size_t at = 0; at < entities.size();) {
        const auto chunk = entities.subspan(
            at, std::min({count, entities.size() - at, limits::revisions_per_statement_max}));
        if (auto found = latest_.find(connection, chunk); !found)
            return std::unexpected(std::move(found.error()));
        std::vector<engine::Interval> wanted;
        for (const auto& entity : chunk)
            wanted.push_back({entity.latest, entity.latest});
        const engine::IntervalSet sorted(wanted);
        // The rows come by their latest revision, not in the order of the entities, so a cut in the middle of
        // a chunk wastes what lies behind the first missing entity: it is for documents far larger than
        // expected.
        const auto taken = take(connection, sorted.intervals(), chunk.size(), 2 * request.bytes_max, page);
        if (!taken) return std::unexpected(taken.error());
        if (taken->cut || document_bytes_ > request.bytes_max) {
            // Rows came in rising order, so an entity whose latest row is above the last one was not loaded.
            const engine::Revision loaded = page.rows().back().revision;
            const auto missing = std::ranges::find_if(chunk, [&](const LatestFinder::Entity& entity) {
                return taken->cut && entity.latest > loaded;
            });
            const auto next = missing != chunk.end() ? at + static_cast<std::size_t>(missing - chunk.begin())
                                                     : at + chunk.size();
            if (next < entities.size()) page.covered_through = entities[next].first - 1;
            if (taken->cut) drop_uncovered(page, entities);
            break;
        }
        if (taken->rows != chunk.size())
            return fail(
                ErrorKind::unavailable,
                fmt::format("{}: rows went away within one snapshot of the history", connection.place()));
        at += chunk.size();
        count = rows_for(request.bytes_max - document_bytes_);
    }
    for (const engine::Revision revision : asked->revisions)
        if (revision <= page.covered_through) page.seen.insert(revision);
    return {};
}

Result<Reader::Taken> Reader::take(Connection& connection, std::span<const engine::Interval> intervals,
                                   std::uint64_t rows_max, std::uint64_t bytes_max, engine::Page& page) {
    auto rows = connection.query(
        fmt::format("{}{} ORDER BY {} LIMIT {}", select_, among(revision_, intervals), revision_, rows_max));
    if (!rows) return std::unexpected(std::move(rows.error()));
    Taken taken;
    std::uint64_t bytes = 0;
    const std::size_t columns = rows->columns();
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        failpoint::at("during:read_rows");
        const std::uint64_t row_bytes = bytes_of(*rows, columns);
        bytes += row_bytes;
        row_bytes_largest_ = std::max(row_bytes_largest_, row_bytes);
        ++taken.rows;
        document_bytes_ += builder_.add({rows->values(), rows->lengths()}, page);
        if (document_bytes_ > bytes_max && taken.rows < rows_max) {
            taken.cut = true;
            drain(connection, *rows);
            break;
        }
    }
    learn(taken.rows, bytes);
    return taken;
}

std::uint64_t Reader::rows_for(std::uint64_t bytes) const {
    // A quarter more than expected, so that a batch is rarely left half full; the rest is drained.
    const std::uint64_t expected = bytes / std::max<std::uint64_t>(row_bytes_mean_, 1);
    return std::max<std::uint64_t>(expected + expected / 4, limits::rows_per_statement_min);
}

void Reader::learn(std::uint64_t rows, std::uint64_t bytes) {
    if (rows != 0) row_bytes_mean_ = (row_bytes_mean_ + bytes / rows) / 2;
}

}  // namespace pawl::source
