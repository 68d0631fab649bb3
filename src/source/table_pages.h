// The table itself, page by page in the order of its key: the first fill of an index in outbox mode.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/request.h"
#include "source/connection.h"
#include "source/document.h"
#include "source/outbox_changes.h"
#include "source/outbox_layout.h"
#include "source/row_sizes.h"

namespace pawl::source {

class TablePages {
  public:
    TablePages(const OutboxLayout& layout, const RowShape& shape);

    // Fills in the page's rows, `table_through` and `complete`. Entities that a view does not show are left
    // out. Within the caller's transaction; the connection may come back abandoned.
    Result<void> read(Connection& connection, const engine::ReadRequest& request, DocumentBuilder& builder,
                      RowSizes& sizes, engine::Page& page) const;

    // The statement for the next rows, for tests that ask the server how it carries it out. `after` as in
    // Page::table_through. Empty: no position in this table's key.
    std::optional<std::string> statement(std::string_view after, std::uint64_t rows_max) const;

  private:
    // What one statement gave.
    struct Portion {
        std::vector<engine::Row> rows;
        std::uint64_t keys = 0;  // looked at
        std::uint64_t bytes = 0;
        std::string through = {};  // position of the last one
        bool cut = false;          // bytes_max was passed, and there may have been more
    };
    Result<Portion> take(Connection& connection, const std::string& sql, DocumentBuilder& builder,
                         RowSizes& sizes, std::uint64_t bytes_max, engine::Page& page) const;
    Result<Portion> take_failed(Connection& connection, const std::string& after, const Error& why,
                                engine::Page& page) const;
    // "… WHERE … ORDER BY … LIMIT …" of the table's rows.
    std::optional<std::string> rest_after(std::string_view after, std::uint64_t rows_max) const;
    std::optional<std::string> condition(std::string_view after) const;
    std::string position_in(const ResultSet& row, std::size_t at) const;

    OutboxChanges changes_;
    std::vector<Column> order_;  // the key's columns, in the key's order
    std::string select_;         // of a row and of its key
    std::string keys_select_;    // of the key alone
    std::string from_;           // the table
    std::string order_by_;
    std::string view_join_;    // around the keys; empty without a view
    std::size_t key_at_;       // the first cell of the key
    std::size_t presence_at_;  // the cell that is NULL where the view has no row
};

}  // namespace pawl::source
