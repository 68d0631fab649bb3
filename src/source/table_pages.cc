#include "source/table_pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "base/failpoint.h"
#include "source/key_value.h"
#include "source/present_rows.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

// "FROM (… LIMIT n) AS `keyed` LEFT JOIN the view … ORDER BY …", less its beginning.
std::string join_of_view(const OutboxLayout& layout) {
    std::vector<std::string> same;
    for (std::size_t at = 0; at < layout.key.size(); ++at) {
        const KeyColumn& column = layout.key[at];
        same.push_back(same_value(column.present, present_column(column.present), column.table,
                                  fmt::format("`keyed`.`k{}`", at)));
    }
    std::vector<std::string> order;
    order.reserve(layout.key_order.size());
    for (const std::size_t place : layout.key_order)
        order.push_back(fmt::format("`keyed`.`k{}`", place));
    return fmt::format(") AS `keyed` LEFT JOIN {} AS `present` ON {} ORDER BY {}",
                       table_identifier(layout.view->database, layout.view->name), fmt::join(same, " AND "),
                       fmt::join(order, ", "));
}

}  // namespace

TablePages::TablePages(const OutboxLayout& layout, const RowShape& shape)
    : changes_(layout), key_at_(shape.select.size()), presence_at_(shape.entity.at) {
    std::vector<std::string> keys;
    std::vector<std::string> keyed;
    std::vector<std::string> order;
    for (const std::size_t place : layout.key_order) {
        const Column& column = order_.emplace_back(layout.key[place].table);
        keyed.push_back(fmt::format("`keyed`.`r{}`", order.size()));
        keys.push_back(
            fmt::format("{} AS `r{}`", raw_expression(column, present_column(column)), order.size()));
        order.push_back(present_column(column));
    }
    for (std::size_t at = 0; at < layout.key.size(); ++at) {
        keyed.push_back(fmt::format("`keyed`.`k{}`", at));
        keys.push_back(fmt::format("{} AS `k{}`", present_column(layout.key[at].table), at));
    }
    keys_select_ = fmt::format("SELECT {}", fmt::join(keys, ", "));
    from_ =
        fmt::format(" FROM {} AS `present` FORCE INDEX ({}) WHERE ",
                    table_identifier(layout.table.database, layout.table.name), identifier(layout.key_name));
    order_by_ = fmt::format(" ORDER BY {} LIMIT ", fmt::join(order, ", "));
    select_ = fmt::format("SELECT {}, {}", fmt::join(shape.select, ", "),
                          fmt::join(layout.view ? keyed : keys, ", "));
    if (layout.view) view_join_ = join_of_view(layout);
}

Result<void> TablePages::read(Connection& connection, const engine::ReadRequest& request,
                              DocumentBuilder& builder, RowSizes& sizes, engine::Page& page) const {
    std::string after = request.table_after.value_or("");
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;
    std::uint64_t portion = request.rows_max;
    while (keys < request.rows_max && bytes <= request.bytes_max && connection.is_open()) {
        const std::uint64_t rows_max = std::min<std::uint64_t>(
            {portion, request.rows_max - keys, sizes.rows_for(request.bytes_max - bytes)});
        const auto sql = statement(after, rows_max);
        if (!sql)
            return fail(ErrorKind::decision,
                        fmt::format("{}: the first fill stopped at a row that the table's key does not know; "
                                    "has the key changed?",
                                    connection.place()),
                        "run pawl rebuild");
        auto taken = take(connection, *sql, builder, sizes, request.bytes_max - bytes, page);
        if (!taken && connection.value_is_to_blame()) {
            portion = std::max<std::uint64_t>(rows_max / 2, 1);
            if (rows_max > 1) continue;
            taken = take_failed(connection, after, taken.error(), page);
        }
        if (!taken) return std::unexpected(taken.error());
        for (const engine::Row& row : taken->rows)
            page.add_owned(row);
        keys += taken->keys;
        bytes += taken->bytes;
        if (!taken->through.empty()) page.table_through = after = taken->through;
        page.complete = taken->keys < rows_max && !taken->cut;
        if (page.complete) return {};
        portion *= 2;
    }
    return {};
}

Result<TablePages::Portion> TablePages::take(Connection& connection, const std::string& sql,
                                             DocumentBuilder& builder, RowSizes& sizes,
                                             std::uint64_t bytes_max, engine::Page& page) const {
    Portion portion;
    auto rows = connection.query(sql);
    if (!rows) return std::unexpected(std::move(rows.error()));
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        failpoint::at("during:read_rows");
        sizes.note(*rows);
        std::string position = position_in(*rows, key_at_);
        if (position == portion.through) {
            portion.rows.back() = invalid_row(portion.rows.back().entity, several_rows(), page);
            continue;
        }
        if (portion.bytes > bytes_max) {
            portion.cut = true;
            drain(connection, *rows);
            break;
        }
        portion.through = std::move(position);
        ++portion.keys;
        if (rows->values()[presence_at_] == nullptr) continue;
        const ChangedEntity entity = changes_.entity_in(*rows, key_at_ + order_.size());
        portion.rows.push_back(entity.problem
                                   ? invalid_row(entity.id, *entity.problem, page)
                                   : builder.row_of(entity.id, {rows->values(), rows->lengths()}, page));
        portion.bytes += portion.rows.back().document.size();
    }
    sizes.learn();
    return portion;
}

// Steps over the one row after `after`, which cannot be read.
Result<TablePages::Portion> TablePages::take_failed(Connection& connection, const std::string& after,
                                                    const Error& why, engine::Page& page) const {
    auto rows = connection.query(keys_select_ + from_ + *rest_after(after, 1));
    if (!rows) return std::unexpected(std::move(rows.error()));
    Portion portion;
    const auto more = rows->next();
    if (!more) return std::unexpected(more.error());
    if (!*more) return portion;
    portion.keys = 1;
    portion.through = position_in(*rows, 0);
    portion.rows.push_back(
        invalid_row(changes_.entity_in(*rows, order_.size()).id, document_failed(why), page));
    return portion;
}

std::optional<std::string> TablePages::statement(std::string_view after, std::uint64_t rows_max) const {
    const auto rest = rest_after(after, rows_max);
    if (!rest) return std::nullopt;
    if (view_join_.empty()) return select_ + from_ + *rest;
    return select_ + " FROM (" + keys_select_ + from_ + *rest + view_join_;
}

std::optional<std::string> TablePages::rest_after(std::string_view after, std::uint64_t rows_max) const {
    const auto where = condition(after);
    if (!where) return std::nullopt;
    return fmt::format("{}{}{}", *where, order_by_, rows_max);
}

// "(`a` > 1 OR (`a` = 1 AND (`b` > 2)))", which the server makes ranges of its key from.
std::optional<std::string> TablePages::condition(std::string_view after) const {
    if (after.empty()) return "TRUE";
    std::vector<std::string> values;
    for (std::string_view rest = after; values.size() < order_.size();) {
        if (!rest.starts_with('x')) return std::nullopt;
        const auto end = std::min(rest.find(',', 1), rest.size());
        const auto raw = from_hex(rest.substr(1, end - 1));
        const auto value = raw ? literal(order_[values.size()], *raw) : std::nullopt;
        if (!value) return std::nullopt;
        values.push_back(*value);
        if ((end == rest.size()) != (values.size() == order_.size())) return std::nullopt;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    std::string text;
    for (std::size_t at = order_.size(); at-- > 0;) {
        const std::string column = present_column(order_[at]);
        text = text.empty() ? fmt::format("({} > {})", column, values[at])
                            : fmt::format("({0} > {1} OR ({0} = {1} AND {2}))", column, values[at], text);
    }
    return text;
}

// "x61,x62": the values of the key's columns, in the key's order, in hexadecimal digits.
std::string TablePages::position_in(const ResultSet& row, std::size_t at) const {
    std::string position;
    for (std::size_t column = 0; column < order_.size(); ++column)
        position += fmt::format("{}x{}", column == 0 ? "" : ",",
                                to_hex(row.value(at + column).value_or(std::string_view{})));
    return position;
}

}  // namespace pawl::source
