// Answers read requests on an open connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/request.h"
#include "source/connection.h"
#include "source/document.h"
#include "source/fill_scan.h"
#include "source/latest.h"
#include "source/row_sizes.h"
#include "source/table.h"

namespace pawl::source {

// none: rows come without their documents, and the columns that make them are not read.
enum class DocumentsRead : std::uint8_t { all, none };

// Of one pipeline; one thread. Keeps memory, and what it has learned about the size of rows, from page to
// page.
class Reader {
  public:
    // The table must have passed the checks.
    Reader(const Table& table, const config::Pipeline& pipeline,
           DocumentsRead documents = DocumentsRead::all);

    // One page, from one snapshot (engine/request.h says what it holds). After an error the connection must
    // be closed; it may also come back abandoned (closed) with a good page, when a rest was too long to be
    // read in vain.
    //
    // A page may end before rows_max and bytes_max, where the rows were expected to be larger than they are;
    // covered_through says so.
    //
    // `second`: another connection to the same server, which nobody uses meanwhile, or null: for a fill's
    // scan. After an error it must be closed, too.
    Result<std::shared_ptr<const engine::Page>> read(Connection& connection,
                                                     const engine::ReadRequest& request,
                                                     Connection* second = nullptr);

    // The highest revision that is there; 0 for an empty history.
    Result<engine::Revision> history_end(Connection& connection) const;

    // From one snapshot too.
    Result<engine::LookUpAnswer> look_up(Connection& connection, const engine::LookUpRequest& request) const;

    // Digest of what becomes of a row's columns.
    std::uint64_t shape() const { return shape_; }

  private:
    Result<void> read_rows(Connection& connection, const engine::ReadRequest& request, engine::Page& page);
    Result<void> read_latest(Connection& connection, const engine::ReadRequest& request, engine::Page& page);
    Result<void> scan_if_due(Connection& connection, Connection* second,
                             const engine::IntervalSet& revisions);
    Result<void> read_fill(Connection& connection, const engine::ReadRequest& request, engine::Page& page);

    Result<std::optional<engine::Revision>> first_row(Connection& connection, engine::Revision from,
                                                      engine::Revision through) const;

    // Of a fill's window, from `from` on: rows that are there, and which of them to load, about so many.
    struct Portion {
        engine::IntervalSet seen;
        std::vector<engine::Interval> wanted;  // of one revision each
        engine::Revision through = 0;          // as far as was looked
    };
    Result<engine::Revision> read_portion(Connection& connection, const engine::ReadRequest& request,
                                          engine::Revision from, engine::Page& page);
    Portion fill_portion(engine::Revision from, std::uint64_t wanted_max) const;

    // Visits these rows; how many were there.
    Result<void> look_at(Connection& connection, const std::vector<engine::Revision>& revisions,
                         const std::function<void(engine::Revision, const Cells&)>& visit) const;

    // How a statement's rows ended.
    struct Taken {
        std::uint64_t rows = 0;
        bool cut = false;  // bytes_max was passed, and there may have been more
    };
    // Rows of one statement into the page, in rising order, until they end or bytes_max is passed.
    Result<Taken> take(Connection& connection, std::span<const engine::Interval> intervals,
                       std::uint64_t rows_max, std::uint64_t bytes_max, engine::Page& page);

    void note_anchor(const ResultSet& rows, engine::Page& page) const;

    DocumentBuilder builder_;
    LatestFinder latest_;
    std::string select_;    // "SELECT … FROM … FORCE INDEX (…) WHERE "
    std::string revision_;  // the column, quoted
    std::string end_select_;
    std::string first_select_;
    FillScanSql fill_sql_;
    std::uint64_t shape_;
    std::optional<FillScan> fill_;
    RowSizes sizes_;
    std::uint64_t document_bytes_ = 0;  // of the page under way
};

}  // namespace pawl::source
