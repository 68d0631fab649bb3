// Which rows an index without documents needs: the latest one of each entity. Found by one scan of the
// entity's index that never touches the rows themselves, so that what a fill costs follows the entities,
// not the edits that they have had.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/page.h"
#include "source/connection.h"
#include "source/table.h"

namespace pawl::source {

// What was there at one moment, of the revisions in a window.
class FillScan {
  public:
    // Revisions from `first` on, at most limits::fill_window of them, of a history up to `through`.
    FillScan(engine::Revision first, engine::Revision through);

    bool covers(engine::Revision first, engine::Revision through) const {
        return through == through_ && first >= first_ && first <= last_;
    }
    // Of the window.
    engine::Revision first() const { return first_; }
    engine::Revision last() const { return last_; }

    // A row of the table, in the order of the entity's index.
    void add(engine::Revision revision, std::string_view entity);
    // All rows have been added.
    void finish();
    // Takes in a finished scan of the same window, of other entities.
    void merge(const FillScan& other);

    // The next row at or above this one, in the window; empty: there is none.
    std::optional<engine::Revision> next_row(engine::Revision from) const { return next(is_there_, from); }
    bool is_latest(engine::Revision revision) const { return test(is_latest_, revision); }

  private:
    using Bits = std::vector<std::uint64_t>;
    bool in_window(engine::Revision revision) const { return revision >= first_ && revision <= last_; }
    void set(Bits& bits, engine::Revision revision) const;
    bool test(const Bits& bits, engine::Revision revision) const;
    std::optional<engine::Revision> next(const Bits& bits, engine::Revision from) const;

    engine::Revision first_;
    engine::Revision last_;
    engine::Revision through_;
    Bits is_there_;
    Bits is_latest_;
    std::string entity_;            // of the run at hand
    engine::Revision highest_ = 0;  // of the run at hand; 0: no run yet
};

// What the server is asked, of one table: made once.
struct FillScanSql {
    // "SELECT …": rows at or below a revision, with a condition like `half` or none, in the order of the
    // entity's index: revision, the entity's bytes.
    std::string rows;
    std::string half;       // entities below (<), or not below (>=), that of the row with a revision
    std::string by_entity;  // "SELECT …": which of some revisions are there, in the order of their entities
    std::string revision;   // the column, quoted
};
FillScanSql fill_scan_sql(const Table& table, const config::Source& source);

// By one streaming statement: one snapshot. A large history is scanned by two statements at once where there
// is a second connection to the same server: half of the entities each, an entity's rows in one of them. What
// commits between their two snapshots is as late as what commits after them. After an error neither
// connection is of use; an error of the second one alone is none.
Result<FillScan> scan_for_fill(Connection& connection, Connection* second, const FillScanSql& sql,
                               engine::Revision first, engine::Revision through);

}  // namespace pawl::source
