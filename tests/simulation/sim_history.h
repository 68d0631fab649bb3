// MariaDB as pawl knows it: an append-only table whose revisions are handed out at once and seen at commit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/page.h"
#include "engine/request.h"
#include "tests/simulation/sim_clock.h"

namespace pawl::simulation {

using engine::Revision;

// What the index, or pawl, will say to a row.
enum class RowKind : std::uint8_t {
    good,
    removed,
    refused,    // the index rejects the document
    poison,     // the index rejects every request that holds it
    oversized,  // too large for a request of its own
    invalid,    // makes no document
};
engine::Action action_of(RowKind kind);

enum class Fate : std::uint8_t { open, committed, dead, deleted };

struct HistoryRow {
    Revision revision = 0;
    std::uint32_t entity = 0;
    RowKind kind = RowKind::good;
    Fate fate = Fate::open;     // deleted: only from an outbox
    std::uint64_t content = 0;  // what else is in it; no two rows have the same
};

// The document shape of every row.
inline constexpr std::uint64_t sim_shape = 7;

class SimHistory {
  public:
    explicit SimHistory(std::uint32_t entities);
    virtual ~SimHistory() = default;
    SimHistory(const SimHistory&) = delete;
    SimHistory& operator=(const SimHistory&) = delete;

    // A transaction is the revisions of its rows.
    using Transaction = std::vector<Revision>;
    Revision insert(std::uint32_t entity, RowKind kind);
    virtual void end(const Transaction& transaction, Fate fate);

    std::uint32_t entities() const { return static_cast<std::uint32_t>(names_.size()); }
    std::string_view name_of(std::uint32_t entity) const { return names_[entity]; }
    static std::uint32_t entity_of(std::string_view name);

    const std::vector<HistoryRow>& rows() const { return rows_; }  // row i has revision i + 1
    const HistoryRow& row(Revision revision) const { return rows_.at(revision - 1); }
    // What the index says to a document that was made of the row with this revision; good when there is none
    // any more. A history's documents are known by their revision, an outbox's by their content.
    virtual RowKind kind_of(Revision revision, std::uint64_t content) const;
    // Whether an index that holds the entity at this version has it from somewhere else.
    virtual bool is_foreign(std::uint32_t entity, Revision version) const;
    // It was there, and is no more.
    virtual bool is_removed(std::uint32_t entity) const;
    // The entity's committed row with the highest revision; null: it has none.
    const HistoryRow* latest(std::uint32_t entity) const;
    // The highest committed revision; of an outbox: the highest that was handed out. 0: none.
    virtual Revision end_of_history() const { return end_; }

    // MariaDB is restored from a backup: rows above `revision` never were, and their revisions will be handed
    // out again. No transaction may be open.
    void restore_to(Revision revision);
    // How often that has happened.
    std::uint64_t restores() const { return restores_; }

    virtual engine::LookUpAnswer look_up(const engine::LookUpRequest& request) const;

    // What was there at one moment up to `through`, and what of it was its entity's latest row.
    struct Scan {
        Revision through = 0;
        std::uint64_t restores = 0;
        std::vector<bool> is_there;
        std::vector<bool> is_latest;
    };
    Scan scan(Revision through) const;

    bool has_open_rows() const { return open_rows_ > 0; }
    // Whether anybody is writing now.
    engine::Proof prove() const;

    // What the source port's contract says, from a snapshot taken now. With `shorten` fewer rows than asked
    // for are looked at, down to one. Latest rows are loaded some at a time, by their own revisions, as
    // src/source/reader.cc does: a page that passes bytes_max may cover less than the rows it looked at. A
    // fill goes by `scan`; null for other reads.
    virtual std::shared_ptr<const engine::Page> read(const engine::ReadRequest& request, const Scan* scan,
                                                     TimeMs now, bool shorten, SimRandom& random) const;
    // Pages that somebody still holds.
    std::size_t pages_alive() const { return *pages_alive_; }

  protected:
    std::shared_ptr<engine::Page> new_page(TimeMs now) const;
    // All rows that there are, as they were once.
    void put_back(std::vector<HistoryRow> rows);
    // The table is made anew.
    void forget_rows();
    HistoryRow& row_to_change(Revision revision) { return rows_.at(revision - 1); }

  private:
    // The entity of a row that a read of latest rows has looked at.
    struct Found {
        Revision first = 0;  // its lowest row among those
        Revision latest = 0;
    };
    void read_rows(const engine::ReadRequest& request, std::uint64_t rows_max, engine::Page& page) const;
    void read_latest(const engine::ReadRequest& request, std::uint64_t rows_max, SimRandom& random,
                     engine::Page& page) const;
    void read_fill(const engine::ReadRequest& request, const Scan& scan, std::uint64_t rows_max,
                   engine::Page& page) const;
    // Documents until they are more than twice bytes_max; returns the first place whose document is missing.
    std::size_t put_latest(const std::vector<Found>& found, std::size_t at, std::size_t end,
                           std::uint64_t bytes_max, engine::Page& page) const;
    void put(engine::Page& page, const HistoryRow& row) const;

    std::vector<std::string> names_;
    std::vector<HistoryRow> rows_;
    std::vector<Revision> latest_;  // of each entity; 0: none
    Revision end_ = 0;
    std::size_t open_rows_ = 0;
    std::uint64_t inserts_ = 0;
    std::uint64_t restores_ = 0;
    std::shared_ptr<std::size_t> pages_alive_ = std::make_shared<std::size_t>(0);
};

}  // namespace pawl::simulation
