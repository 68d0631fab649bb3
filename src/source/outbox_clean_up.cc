#include "source/outbox_clean_up.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "base/failpoint.h"
#include "config/values.h"
#include "source/key_value.h"
#include "source/limits.h"
#include "source/sql.h"
#include "source/table.h"

namespace pawl::source {
namespace {

using engine::IntervalSet;
using engine::Revision;

// Nobody else should hold a lock that is needed; whoever does must not hold pawl up for long.
std::string without_waiting() {
    return fmt::format("SET STATEMENT innodb_lock_wait_timeout = {0}, lock_wait_timeout = {0} FOR ",
                       limits::clean_up_wait_s);
}

IntervalSet together(const IntervalSet& left, const IntervalSet& right) {
    IntervalSet all = left;
    all.insert(right);
    return all;
}

// Calls `each` with the members, some at a time, in rising order.
Result<void> in_portions(const IntervalSet& set,
                         const std::function<Result<void>(std::span<const Revision>)>& each) {
    std::vector<Revision> portion;
    const auto flush = [&]() -> Result<void> {
        failpoint::at("during:clean_up");
        auto done = each(portion);
        portion.clear();
        return done;
    };
    for (const engine::Interval& interval : set.intervals())
        for (Revision revision = interval.first; revision <= interval.last; ++revision) {
            portion.push_back(revision);
            if (portion.size() < limits::revisions_per_statement_max) continue;
            if (auto done = flush(); !done) return done;
        }
    return portion.empty() ? Result<void>{} : flush();
}

}  // namespace

OutboxCleanUp::OutboxCleanUp(const OutboxLayout& layout)
    : counter_(layout), entity_(layout.entity), name_(layout.outbox_name()) {
    std::vector<std::string> names;
    std::vector<std::string> raw;
    for (const KeyColumn& column : layout.key) {
        columns_.push_back(column.outbox);
        names.push_back(identifier(column.outbox.name));
        raw.push_back(raw_expression(column.outbox, names.back()));
    }
    late_select_ = fmt::format("SELECT `id` FROM {} FORCE INDEX (PRIMARY) WHERE ", name_);
    raw_select_ = fmt::format("SELECT {} FROM {} FORCE INDEX (PRIMARY) WHERE ", fmt::join(raw, ", "), name_);
    const auto insert_into = [&](const std::string& table) {
        return fmt::format("INSERT INTO {} ({}) VALUES ", table, fmt::join(names, ", "));
    };
    insert_ = insert_into(name_);
    if (!layout.kept_from.empty()) return;
    database_ = layout.outbox.database;
    kept_table_ = kept_table_of(layout.outbox.name);
    keep_insert_ = insert_into(table_identifier(database_, kept_table_));
}

Result<void> OutboxCleanUp::begin(Connection& connection) {
    for (const char* const statement :
         {"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ WRITE"})
        if (auto done = connection.execute(statement); !done) return done;
    return {};
}

Result<engine::CleanedUp> OutboxCleanUp::run(Connection& connection, const engine::CleanUpRequest& request,
                                             const std::function<bool()>& may_commit) const {
    engine::CleanedUp cleaned{.id = request.id};
    if (auto begun = begin(connection); !begun) return std::unexpected(std::move(begun.error()));
    if (auto done = change(connection, request, cleaned); !done)
        return std::unexpected(with_advice(std::move(done.error())));
    failpoint::at("during:clean_up");
    if (!may_commit()) return fail(ErrorKind::unavailable, "another pawl may have the lease by now");
    if (auto done = connection.execute("COMMIT"); !done) return std::unexpected(std::move(done.error()));
    failpoint::at("after:commit_clean_up");
    return cleaned;
}

// IGNORE: whatever its columns are, a row that nobody will see may have their defaults.
Result<engine::Revision> OutboxCleanUp::take_id(Connection& connection) const {
    if (auto begun = begin(connection); !begun) return std::unexpected(std::move(begun.error()));
    const std::string insert = fmt::format("{}INSERT IGNORE INTO {} () VALUES ()", without_waiting(), name_);
    if (auto done = connection.execute(insert); !done)
        return std::unexpected(with_advice(std::move(done.error())));
    const auto id = connection.rows("SELECT LAST_INSERT_ID()");
    if (!id) return std::unexpected(id.error());
    const Revision revision = revision_in(id->front()[0].value_or(""));
    if (auto done = connection.execute(delete_statement(std::span(&revision, 1))); !done)
        return std::unexpected(with_advice(std::move(done.error())));
    if (auto done = connection.execute("COMMIT"); !done) return std::unexpected(std::move(done.error()));
    return revision;
}

// Where a row of somebody's has the id, the counter is there already; that row is not touched.
Result<void> OutboxCleanUp::raise_to(Connection& connection, Revision id) const {
    if (auto begun = begin(connection); !begun) return begun;
    const std::string insert =
        fmt::format("{}INSERT IGNORE INTO {} (`id`) VALUES ({})", without_waiting(), name_, id);
    if (auto done = connection.execute(insert); !done)
        return std::unexpected(with_advice(std::move(done.error())));
    const auto inserted = connection.rows("SELECT ROW_COUNT()");
    if (!inserted) return std::unexpected(inserted.error());
    if (inserted->front()[0] == "1")
        if (auto done = connection.execute(delete_statement(std::span(&id, 1))); !done)
            return std::unexpected(with_advice(std::move(done.error())));
    return connection.execute("COMMIT");
}

// In a transaction like those of clean-ups: at REPEATABLE READ it would also lock the gap behind the row, and
// make a deadlock of a clean-up that goes on inserting there.
Result<Revision> OutboxCleanUp::highest_of_all(Connection& connection) const {
    if (auto begun = begin(connection); !begun) return std::unexpected(std::move(begun.error()));
    const auto highest = connection.rows(fmt::format(
        "SELECT `id` FROM {} FORCE INDEX (PRIMARY) ORDER BY `id` DESC LIMIT 1 LOCK IN SHARE MODE", name_));
    if (!highest) return std::unexpected(highest.error());
    if (auto done = connection.execute("COMMIT"); !done) return std::unexpected(std::move(done.error()));
    return highest->empty() ? 0 : revision_in(highest->front()[0].value_or("0"));
}

// Rows of a clean-up whose COMMIT is on its way, perhaps of a pawl that is dead, are waited for.
Result<bool> OutboxCleanUp::hand_over(Connection& connection, const OutboxCleanUp& to,
                                      Revision through) const {
    if (auto begun = begin(connection); !begun) return std::unexpected(std::move(begun.error()));
    const auto found = connection.rows(
        fmt::format("SELECT `id` FROM {} FORCE INDEX (PRIMARY) WHERE `id` <= {} ORDER BY `id` LIMIT {} LOCK "
                    "IN SHARE MODE",
                    name_, through, limits::revisions_per_statement_max));
    if (!found) return std::unexpected(found.error());
    std::vector<Revision> rows;
    for (const auto& row : *found)
        rows.push_back(revision_in(row[0].value_or("")));
    if (!rows.empty()) {
        if (auto done = copy(connection, rows, to.insert_); !done)
            return std::unexpected(std::move(done.error()));
        if (auto done = connection.execute(without_waiting() + delete_statement(rows)); !done)
            return std::unexpected(with_advice(std::move(done.error())));
    }
    if (auto done = connection.execute("COMMIT"); !done) return std::unexpected(std::move(done.error()));
    return !rows.empty();
}

Result<void> OutboxCleanUp::change(Connection& connection, const engine::CleanUpRequest& request,
                                   engine::CleanedUp& cleaned) const {
    const auto late = late_rows(connection, request, cleaned);
    if (!late) return std::unexpected(late.error());
    if (!late->empty())
        if (auto as_it_was = must_not_have_gone_back(connection, request.late_through); !as_it_was)
            return as_it_was;
    const IntervalSet renewed = together(request.renew, *late);
    auto done =
        in_portions(renewed, [&](std::span<const Revision> rows) { return copy(connection, rows, insert_); });
    if (!done) return done;
    if (done = keep_for_rebuild(connection, request.done); !done) return done;
    if (done = add_entities(connection, request.entities); !done) return done;
    done = in_portions(together(request.done, renewed), [&](std::span<const Revision> rows) {
        return connection.execute(without_waiting() + delete_statement(rows));
    });
    if (!done) return done;
    return request.wants_end ? find_end(connection, cleaned) : Result<void>{};
}

// At READ COMMITTED, so with the rows of this transaction; and, since it has just deleted those that they
// stand for, with those of an earlier one that was given up, but has taken effect.
Result<void> OutboxCleanUp::find_end(Connection& connection, engine::CleanedUp& cleaned) const {
    const auto highest = counter_.highest(connection);
    if (!highest) return std::unexpected(highest.error());
    cleaned.end = *highest;
    return {};
}

// Rows of an outbox that was truncated, or restored, look like late ones. Renewed, they would raise its ids,
// perhaps above those that were read, and nothing would show any more that it is another one.
Result<void> OutboxCleanUp::must_not_have_gone_back(Connection& connection, Revision to) const {
    const auto end = counter_.end(connection);
    if (!end) return std::unexpected(end.error());
    if (*end >= to) return {};
    return fail(ErrorKind::unavailable,
                fmt::format("{}: the ids of {} end at {}, but rows up to {} were read", connection.place(),
                            name_, *end, to));
}

// Looks only where rows would be late ones; or, where those places are too many for a statement, also at
// some rows between them.
Result<IntervalSet> OutboxCleanUp::late_rows(Connection& connection, const engine::CleanUpRequest& request,
                                             engine::CleanedUp& cleaned) const {
    const IntervalSet mine = together(together(request.done, request.renew), request.known);
    IntervalSet late;
    if (request.late_through == 0) return late;
    IntervalSet places({engine::Interval{1, request.late_through}});
    places.erase(mine);
    if (places.empty()) return late;
    const std::uint64_t exact = places.count();
    places.merge_down_to(limits::intervals_per_statement_max);
    auto rows = connection.query(fmt::format("{}{} ORDER BY `id` LIMIT {}", late_select_,
                                             among("`id`", places.intervals()),
                                             places.count() - exact + request.rows_max + 1));
    if (!rows) return std::unexpected(std::move(rows.error()));
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) return late;
        const Revision revision = revision_in(rows->value(0).value_or(""));
        if (mine.contains(revision)) continue;
        if (cleaned.late == request.rows_max) {
            cleaned.more_late = true;
            return late;
        }
        late.insert(revision);
        ++cleaned.late;
    }
}

Result<void> OutboxCleanUp::keep_for_rebuild(Connection& connection, const IntervalSet& rows) const {
    if (rows.empty() || kept_table_.empty()) return {};
    const auto kept = is_there(connection, database_, kept_table_);
    if (!kept) return std::unexpected(kept.error());
    if (!*kept) return {};
    auto done = in_portions(
        rows, [&](std::span<const Revision> portion) { return copy(connection, portion, keep_insert_); });
    // A rebuild that has come to its end may have dropped the table since the look: the next try finds it
    // gone.
    if (!done && done.error().kind == ErrorKind::invalid) done.error().kind = ErrorKind::unavailable;
    return done;
}

Result<void> OutboxCleanUp::copy(Connection& connection, std::span<const Revision> rows,
                                 const std::string& insert_to) const {
    std::vector<std::string> values;
    auto found = connection.query(raw_select_ + among("`id`", rows));
    if (!found) return std::unexpected(std::move(found.error()));
    for (;;) {
        const auto more = found->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        std::vector<std::string> row;
        for (std::size_t at = 0; at < columns_.size(); ++at) {
            const auto raw = found->value(at);
            row.push_back(raw ? literal(columns_[at], *raw).value_or("NULL") : "NULL");
        }
        values.push_back(fmt::format("({})", fmt::join(row, ", ")));
    }
    return insert(connection, insert_to, values);
}

Result<void> OutboxCleanUp::add_entities(Connection& connection,
                                         std::span<const std::string> entities) const {
    std::vector<std::string> rows;
    for (std::size_t at = 0; at < entities.size(); ++at) {
        const auto values = entity_.values_of(entities[at]);
        if (!values) continue;
        std::vector<std::string> row;
        for (const std::string_view value : *values)
            row.push_back(text_literal(value));
        rows.push_back(fmt::format("({})", fmt::join(row, ", ")));
        if (rows.size() < limits::revisions_per_statement_max) continue;
        if (auto done = insert(connection, insert_, rows); !done) return done;
        rows.clear();
    }
    return insert(connection, insert_, rows);
}

Result<void> OutboxCleanUp::insert(Connection& connection, const std::string& insert,
                                   const std::vector<std::string>& rows) {
    if (rows.empty()) return {};
    failpoint::at("during:clean_up");
    return connection.execute(fmt::format("{}{}{}", without_waiting(), insert, fmt::join(rows, ", ")));
}

// The column of a VALUES list is called like its first value.
std::string OutboxCleanUp::delete_statement(std::span<const Revision> rows) const {
    return fmt::format(
        "DELETE `outbox` FROM (VALUES ({})) AS `gone` STRAIGHT_JOIN {} AS `outbox` FORCE INDEX (PRIMARY) ON "
        "`outbox`.`id` = `gone`.`{}`",
        fmt::join(rows, "), ("), name_, rows.front());
}

std::string kept_table_of(const std::string& outbox) {
    return config::bounded_identifier(outbox + "_rebuild");
}

Error OutboxCleanUp::with_advice(Error error) const {
    if (error.kind == ErrorKind::forbidden)
        error.advice =
            fmt::format("GRANT SELECT, INSERT, DELETE ON {} TO the user that [mariadb] names", name_);
    return error;
}

}  // namespace pawl::source
