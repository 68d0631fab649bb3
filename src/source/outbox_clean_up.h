// Takes rows out of the outbox: those that the index has, and those that are to come again as new ones. One
// transaction at READ COMMITTED, which waits for no writer and makes none wait.
//
// While a rebuild goes on, its new index gets to know of the rows that are deleted: its table has copies of
// them. Whether the table is there is looked for after the request was made. So where it is not there yet,
// the rows' changes were committed before it was made, and the rebuild's fill, which comes later, reads them.
//
// What was measured on MariaDB 10.11 with a writer whose row, id 10, is not committed yet:
//  - `DELETE … WHERE id BETWEEN 5 AND 9` waits for that writer: the scan looks at the row behind its range.
//  - `DELETE … WHERE id IN (…)` waits too where the outbox is small: the server reads all of it, FORCE INDEX
//    or not.
//  - A join that looks each id up in the primary key touches the rows with these ids and no other, also
//    where they are gone already.
//  - `INSERT … SELECT` holds the counter's lock to its end (innodb_autoinc_lock_mode = 1), and writers'
//    triggers wait for it; `INSERT … VALUES` does not.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/event.h"
#include "source/connection.h"
#include "source/outbox_counter.h"
#include "source/outbox_layout.h"

namespace pawl::source {

class OutboxCleanUp {
  public:
    explicit OutboxCleanUp(const OutboxLayout& layout);

    // After an error the connection must be closed, which undoes all of it; only where COMMIT itself fails is
    // not known what has become of it. It may be run again in any case: what is gone is passed over, and a
    // row too many says nothing false. An entity whose id fits no key of the table gets no row, or that of
    // the entity which the server makes of it.
    // `may_commit` is asked at the end: without the lease it undoes all of it, with an error of kind
    // unavailable.
    Result<engine::CleanedUp> run(
        Connection& connection, const engine::CleanUpRequest& request,
        const std::function<bool()>& may_commit = [] { return true; }) const;

    // Takes an id for nobody: above all that were handed out before, and below all that will be, also after
    // the server has been started anew. The counter alone says less: a statement that inserts many rows
    // reserves more ids than it needs, and a server that starts begins behind the highest that was inserted.
    // On a Galera node that has caught up (source/server_role.h): above all that are committed; nodes hand
    // out ids of their own series, so that rows of others may come later with lower ones. For errors see run.
    Result<engine::Revision> take_id(Connection& connection) const;

    // Makes ids above this one from now on, where they would not be. For errors see run.
    Result<void> raise_to(Connection& connection, engine::Revision id) const;

    // The highest id, also of a row whose transaction is not committed yet: waits for that. 0: there is none.
    Result<engine::Revision> highest_of_all(Connection& connection) const;

    // Moves rows of this outbox into another one, where they get new ids: the lowest up to `through`, at most
    // limits::revisions_per_statement_max of them. False: there was none. For errors see run; done or not, in
    // one transaction.
    Result<bool> hand_over(Connection& connection, const OutboxCleanUp& to, engine::Revision through) const;

    // For tests that ask the server how it carries it out.
    std::string delete_statement(std::span<const engine::Revision> rows) const;

  private:
    static Result<void> begin(Connection& connection);
    Result<void> change(Connection& connection, const engine::CleanUpRequest& request,
                        engine::CleanedUp& cleaned) const;
    Result<void> must_not_have_gone_back(Connection& connection, engine::Revision to) const;
    Result<engine::IntervalSet> late_rows(Connection& connection, const engine::CleanUpRequest& request,
                                          engine::CleanedUp& cleaned) const;
    // Rows with the entities of these, into this outbox or another one with the same columns.
    Result<void> copy(Connection& connection, std::span<const engine::Revision> rows,
                      const std::string& insert) const;
    Result<void> keep_for_rebuild(Connection& connection, const engine::IntervalSet& rows) const;
    Result<void> add_entities(Connection& connection, std::span<const std::string> entities) const;
    Result<void> find_end(Connection& connection, engine::CleanedUp& cleaned) const;
    static Result<void> insert(Connection& connection, const std::string& insert,
                               const std::vector<std::string>& rows);
    Error with_advice(Error error) const;

    OutboxCounter counter_;
    EntityKey entity_;
    std::vector<Column> columns_;  // of the outbox, in the order of the entity's template
    std::string name_;
    std::string late_select_;
    std::string raw_select_;
    std::string insert_;
    std::string database_;
    std::string kept_table_;   // a rebuild's; empty: this is one
    std::string keep_insert_;  // into it
};

// The table of a rebuild: while it is there, rows that are deleted from the outbox since their change is in
// the index are copied into it, in the same transaction (ops/rebuild_outbox.h).
std::string kept_table_of(const std::string& outbox);

}  // namespace pawl::source
