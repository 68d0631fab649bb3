// Answers read requests on an open connection.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "engine/request.h"
#include "source/connection.h"
#include "source/document.h"
#include "source/latest.h"
#include "source/table.h"

namespace pawl::source {

// Of one pipeline; one thread. Keeps memory, and what it has learned about the size of rows, from page to
// page.
class Reader {
  public:
    // The table must have passed the checks.
    Reader(const Table& table, const config::Pipeline& pipeline);

    // One page, from one snapshot (engine/request.h says what it holds). After an error the connection must
    // be closed; it may also come back abandoned (closed) with a good page, when a rest was too long to be
    // read in vain.
    //
    // A page may end before rows_max and bytes_max, where the rows were expected to be larger than they are;
    // covered_through says so.
    Result<std::shared_ptr<const engine::Page>> read(Connection& connection,
                                                     const engine::ReadRequest& request);

    // The highest revision that is there; 0 for an empty history.
    Result<engine::Revision> history_end(Connection& connection) const;

  private:
    Result<void> read_rows(Connection& connection, const engine::ReadRequest& request, engine::Page& page);
    Result<void> read_latest(Connection& connection, const engine::ReadRequest& request, engine::Page& page);

    // How a statement's rows ended.
    struct Taken {
        std::uint64_t rows = 0;
        bool cut = false;  // bytes_max was passed, and there may have been more
    };
    // Rows of one statement into the page, in rising order, until they end or bytes_max is passed.
    Result<Taken> take(Connection& connection, std::span<const engine::Interval> intervals,
                       std::uint64_t rows_max, std::uint64_t bytes_max, engine::Page& page);

    // How many rows to ask for, so that they are about so many bytes.
    std::uint64_t rows_for(std::uint64_t bytes) const;
    void learn(std::uint64_t rows, std::uint64_t bytes);

    DocumentBuilder builder_;
    LatestFinder latest_;
    std::string select_;    // "SELECT … FROM … FORCE INDEX (…) WHERE "
    std::string revision_;  // the column, quoted
    std::string end_select_;
    std::uint64_t row_bytes_mean_ = 0;
    std::uint64_t document_bytes_ = 0;     // of the page under way
    std::uint64_t row_bytes_largest_ = 0;  // the same
};

}  // namespace pawl::source
