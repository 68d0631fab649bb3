#include "source/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
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

// Takes back the rows of entities that the page does not cover: they will come again with the page that does.
void drop_uncovered(engine::Page& page, std::span<const LatestFinder::Entity> entities) {
    std::unordered_set<engine::Revision> covered;
    for (const LatestFinder::Entity& entity : entities)
        if (entity.first <= page.covered_through) covered.insert(entity.latest);
    page.keep_rows([&](const engine::Row& row) { return covered.contains(row.revision); });
}

}  // namespace

Reader::Reader(const Table& table, const config::Pipeline& pipeline, DocumentsRead documents)
    : builder_(documents == DocumentsRead::all ? shape_of(table, pipeline)
                                               : identity_shape_of(table, pipeline)),
      latest_(table, pipeline.source),
      fill_sql_(fill_scan_sql(table, pipeline.source)),
      shape_(digest_of(builder_.shape())),
      sizes_(table.row_bytes_mean) {
    const Key* const key = unique_key_of(table, pipeline.source.revision);
    PAWL_ASSERT(key != nullptr);
    revision_ = identifier(builder_.shape().revision.column);
    select_ =
        fmt::format("SELECT {} FROM {} FORCE INDEX ({}) WHERE ", fmt::join(builder_.shape().select, ", "),
                    table_identifier(table.database, table.name), identifier(key->name));
    first_select_ = fmt::format("SELECT MIN({0}) FROM {1} WHERE {0} BETWEEN ", revision_,
                                table_identifier(table.database, table.name));
    end_select_ = fmt::format("SELECT MAX({0}) FROM {1} WHERE {0} BETWEEN 1 AND {2}", revision_,
                              table_identifier(table.database, table.name), journal::revision_max);
}

Result<engine::Revision> Reader::history_end(Connection& connection) const {
    const auto rows = connection.rows(end_select_);
    if (!rows) return std::unexpected(rows.error());
    return revision_in(rows->front()[0].value_or("0"));
}

Result<std::shared_ptr<const engine::Page>> Reader::read(Connection& connection,
                                                         const engine::ReadRequest& request,
                                                         Connection* second) {
    PAWL_ASSERT(!request.revisions.empty() && request.rows_max >= 1);
    const bool one_statement =
        request.beside == 0 && (request.fill || (!request.latest && request.revisions.intervals().size() <=
                                                                        limits::intervals_per_statement_max));
    auto page = std::make_shared<engine::Page>();
    page->read_at = clock_now();
    page->shape = shape_;
    document_bytes_ = 0;
    sizes_.begin_page();
    if (request.fill) {  // before the snapshot: what the scan has found, a page must see
        auto scanned = scan_if_due(connection, second, request.revisions);
        if (!scanned) return std::unexpected(std::move(scanned.error()));
    }
    if (!one_statement) {
        auto begun = connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
        if (!begun) return std::unexpected(std::move(begun.error()));
    }
    if (request.beside != 0) {
        auto looked = look_at(connection, {request.beside}, [&](engine::Revision, const Cells& cells) {
            page->digest_beside = digest_of(builder_.shape(), cells.values, cells.lengths);
        });
        if (!looked) return std::unexpected(std::move(looked.error()));
    }
    if (request.latest)
        failpoint::at("before:read_latest");
    else
        failpoint::at("before:read_rows");
    auto done = request.latest ? read_latest(connection, request, *page)
                : request.fill ? read_fill(connection, request, *page)
                               : read_rows(connection, request, *page);
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
    if (sizes_.largest() > limits::row_bytes_kept_max) connection.abandon();
    return page;
}

Result<void> Reader::read_rows(Connection& connection, const engine::ReadRequest& request,
                               engine::Page& page) {
    std::span<const engine::Interval> left = request.revisions.intervals();
    while (!left.empty()) {
        const auto chunk = left.first(std::min(left.size(), limits::intervals_per_statement_max));
        left = left.subspan(chunk.size());
        const std::uint64_t rows_max = std::min(request.rows_max - page.rows().size(),
                                                sizes_.rows_for(request.bytes_max - document_bytes_));
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
        count = sizes_.rows_for(request.bytes_max - document_bytes_);
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
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        failpoint::at("during:read_rows");
        sizes_.note(*rows);
        ++taken.rows;
        note_anchor(*rows, page);
        document_bytes_ += builder_.add({rows->values(), rows->lengths()}, page);
        if (document_bytes_ > bytes_max && taken.rows < rows_max) {
            taken.cut = true;
            drain(connection, *rows);
            break;
        }
    }
    sizes_.learn();
    return taken;
}

// Rows come in rising order, so mostly each is the newest so far.
void Reader::note_anchor(const ResultSet& rows, engine::Page& page) const {
    const engine::Revision revision = builder_.revision_of({rows.values(), rows.lengths()});
    if (page.anchor && page.anchor->revision > revision) return;
    page.anchor = journal::Anchor{revision, digest_of(builder_.shape(), rows.values(), rows.lengths())};
}

// No scan is there after it where there is no row.
Result<void> Reader::scan_if_due(Connection& connection, Connection* second,
                                 const engine::IntervalSet& revisions) {
    const engine::Revision through = revisions.highest();
    if (fill_ && fill_->covers(revisions.lowest(), through)) return {};
    fill_.reset();
    const auto first = first_row(connection, revisions.lowest(), through);
    if (!first) return std::unexpected(first.error());
    if (!*first) return {};
    auto scan = scan_for_fill(connection, second, fill_sql_, **first, through);
    if (!scan) return std::unexpected(std::move(scan.error()));
    fill_.emplace(std::move(*scan));
    return {};
}

Result<void> Reader::read_fill(Connection& connection, const engine::ReadRequest& request,
                               engine::Page& page) {
    const engine::Revision through = request.revisions.highest();
    if (!fill_) {
        page.covered_through = through;
        return {};
    }
    engine::Revision from = std::max(request.revisions.lowest(), fill_->first());
    while (from <= fill_->last() && page.rows().size() < request.rows_max &&
           document_bytes_ < request.bytes_max) {
        const auto read_through = read_portion(connection, request, from, page);
        if (!read_through) return std::unexpected(read_through.error());
        page.covered_through = *read_through;
        from = *read_through + 1;
    }
    if (page.covered_through == through) fill_.reset();  // megabytes that nobody needs any more
    return {};
}

// Where the next window of a fill begins: a stretch without rows, however long, must not cost a scan.
Result<std::optional<engine::Revision>> Reader::first_row(Connection& connection, engine::Revision from,
                                                          engine::Revision through) const {
    const auto rows = connection.rows(fmt::format("{}{} AND {}", first_select_, from, through));
    if (!rows) return std::unexpected(rows.error());
    const auto& first = rows->front()[0];
    return first ? std::optional(revision_in(*first)) : std::nullopt;
}

// Gives how far it came.
Result<engine::Revision> Reader::read_portion(Connection& connection, const engine::ReadRequest& request,
                                              engine::Revision from, engine::Page& page) {
    const std::uint64_t room = request.rows_max - page.rows().size();
    const Portion portion = fill_portion(
        from, std::min<std::uint64_t>({room, sizes_.rows_for(request.bytes_max - document_bytes_),
                                       limits::revisions_per_statement_max}));
    engine::Revision through = portion.through;
    if (!portion.wanted.empty()) {
        const engine::IntervalSet wanted(portion.wanted);
        const auto taken = take(connection, wanted.intervals(), wanted.count(), request.bytes_max, page);
        if (!taken) return std::unexpected(taken.error());
        if (taken->cut) {
            through = page.rows().back().revision;
        } else if (taken->rows != wanted.count()) {
            fill_.reset();
            return fail(
                ErrorKind::unavailable,
                fmt::format("{}: rows of the history went away while it was read", connection.place()));
        }
    }
    for (const engine::Interval& interval : portion.seen.intervals())
        if (interval.first <= through) page.seen.insert({interval.first, std::min(interval.last, through)});
    return through;
}

Reader::Portion Reader::fill_portion(engine::Revision from, std::uint64_t wanted_max) const {
    Portion portion{.seen = {}, .wanted = {}, .through = fill_->last()};
    portion.wanted.reserve(wanted_max);
    engine::Interval run{0, 0};
    const auto end_run = [&] {
        if (run.first != 0) portion.seen.insert(run);
    };
    for (auto row = fill_->next_row(from); row; row = fill_->next_row(*row + 1)) {
        if (run.first != 0 && *row == run.last + 1) {
            run.last = *row;
        } else {
            end_run();
            run = {*row, *row};
        }
        if (!fill_->is_latest(*row)) continue;
        portion.wanted.push_back({*row, *row});
        if (portion.wanted.size() < wanted_max) continue;
        portion.through = *row;
        break;
    }
    end_run();
    return portion;
}

Result<void> Reader::look_at(Connection& connection, const std::vector<engine::Revision>& revisions,
                             const std::function<void(engine::Revision, const Cells&)>& visit) const {
    for (auto left = std::span(revisions); !left.empty();) {
        const auto chunk = left.first(std::min(left.size(), limits::revisions_per_statement_max));
        left = left.subspan(chunk.size());
        auto rows = connection.query(select_ + among(revision_, chunk));
        if (!rows) return std::unexpected(std::move(rows.error()));
        for (;;) {
            const auto more = rows->next();
            if (!more) return std::unexpected(more.error());
            if (!*more) break;
            const Cells cells{rows->values(), rows->lengths()};
            visit(builder_.revision_of(cells), cells);
        }
    }
    return {};
}

Result<engine::LookUpAnswer> Reader::look_up(Connection& connection,
                                             const engine::LookUpRequest& request) const {
    auto begun = connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    if (!begun) return std::unexpected(std::move(begun.error()));
    const auto end = history_end(connection);
    if (!end) return std::unexpected(end.error());
    engine::LookUpAnswer answer{.history_end = *end, .shape = shape_};

    std::map<engine::Revision, std::uint64_t> digests;
    std::map<engine::Revision, std::string> entities;
    auto looked = look_at(connection, request.anchors, [&](engine::Revision revision, const Cells& cells) {
        digests[revision] = digest_of(builder_.shape(), cells.values, cells.lengths);
    });
    if (!looked) return std::unexpected(std::move(looked.error()));
    std::vector<engine::Revision> versions;
    versions.reserve(request.versions.size());
    for (const auto& version : request.versions)
        versions.push_back(version.revision);
    looked = look_at(connection, versions, [&](engine::Revision revision, const Cells& cells) {
        entities[revision] = builder_.entity_of(cells);
    });
    if (!looked) return std::unexpected(std::move(looked.error()));
    if (auto ended = connection.execute("COMMIT"); !ended) return std::unexpected(std::move(ended.error()));

    for (const engine::Revision revision : request.anchors) {
        const auto found = digests.find(revision);
        answer.anchors.push_back(found == digests.end() ? std::nullopt : std::optional(found->second));
    }
    for (const auto& [entity, revision] : request.versions) {
        const auto found = entities.find(revision);
        answer.versions.push_back(found != entities.end() && found->second == entity);
    }
    return answer;
}

}  // namespace pawl::source
