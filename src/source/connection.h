// One connection to MariaDB by Connector/C's text protocol, and streamed results. The only file of the source
// that includes mysql.h is connection.cc.
//
// A Connection and its results belong to one thread. Errors map to kinds as server_error.h says.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "source/interrupt.h"

struct st_mysql;
struct st_mysql_res;

namespace pawl::source {

// A result that is read row by row from the network (mysql_use_result). The connection can do nothing else
// until it is gone, and must outlive it. Its end reads what is left of it.
class ResultSet {
  public:
    ResultSet(st_mysql* connection, st_mysql_res* result) : connection_(connection), result_(result) {}
    ~ResultSet();
    ResultSet(ResultSet&& other) noexcept;
    ResultSet& operator=(ResultSet&&) = delete;

    // Steps to the next row; false at the end.
    Result<bool> next();

    // Of the present row, until the next step. A null pointer is NULL; the bytes are not text with an end.
    char* const* values() const { return values_; }
    const unsigned long* lengths() const { return lengths_; }
    std::optional<std::string_view> value(std::size_t column) const;
    std::size_t columns() const;

    // Whether the server says that this column holds JSON (MariaDB sends it as extended metadata).
    bool is_json(std::size_t column) const;

  private:
    st_mysql* connection_ = nullptr;
    st_mysql_res* result_ = nullptr;
    char** values_ = nullptr;
    const unsigned long* lengths_ = nullptr;
};

class Connection {
  public:
    // Connects and makes the session what the readers rely on: utf8mb4, UTC, REPEATABLE READ, plain sql_mode.
    // `interrupt` must outlive the connection; triggering it ends every call on it.
    static Result<Connection> open(const config::MariaDb& settings, Interrupt& interrupt);

    ~Connection() { close(); }
    Connection(Connection&& other) noexcept;
    Connection& operator=(Connection&& other) noexcept;

    // Sends one statement that gives rows.
    Result<ResultSet> query(std::string_view sql);
    // Sends one statement that gives none, or whose rows nobody wants.
    Result<void> execute(std::string_view sql);
    // All rows of a short result; an error beyond limits::listed_rows_max.
    using Rows = std::vector<std::vector<std::optional<std::string>>>;
    Result<Rows> rows(std::string_view sql);

    // Sends statements as one packet. The server runs them one after the other without waiting for us, so
    // that nothing is held over a network's round trip, or for as long as we are stopped; it runs none after
    // the first that fails. Only here may a packet hold more than one statement. An error of the result (a
    // lost connection): how many have run is not known.
    struct Answers {
        std::vector<Rows> rows;  // of each statement that has run, in order; empty for one that gives none
        std::optional<Error> error;  // of the statement after those
        unsigned number = 0;         // MariaDB's, of that error
    };
    Result<Answers> together(std::span<const std::string> statements);

    // Of the last call that failed: whether a value was to blame, so that other rows may be read or written.
    bool value_is_to_blame() const;

    // 'text' as a literal in quotes, escaped for this session.
    std::string quoted(std::string_view text) const;

    // Ends the connection's socket at once, without saying goodbye: what is left of a result need not be
    // read.
    void abandon();
    bool is_open() const { return connection_ != nullptr && !abandoned_; }

    // "10.11.19-MariaDB-0+deb12u1"
    std::string server_version() const;
    // "MariaDB at 127.0.0.1:3306"
    const std::string& place() const { return place_; }

  private:
    Connection(st_mysql* connection, Interrupt& interrupt, std::string place)
        : connection_(connection), interrupt_(&interrupt), place_(std::move(place)) {}
    void close();
    Error last_error() const;
    Result<void> allow_several_statements(bool allow);

    st_mysql* connection_ = nullptr;
    Interrupt* interrupt_ = nullptr;
    std::string place_;
    bool abandoned_ = false;
};

}  // namespace pawl::source
