// MariaDB with an outbox: a table whose entities have a present state each, and the rows that the triggers
// write about it. The history's rows are the outbox's: handed out at once, seen at commit, deleted or renewed
// by a clean-up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/event.h"
#include "engine/request.h"
#include "tests/simulation/sim_history.h"

namespace pawl::simulation {

// What the table holds of an entity: what the edit made of it that committed last. Writers do not honour row
// locks, as where a document is joined from several tables: so edits of one entity may commit out of the
// order of their rows.
struct EntityState {
    RowKind kind = RowKind::removed;
    std::uint64_t content = 0;  // counts up over all commits; 0: the entity never was
    bool operator==(const EntityState&) const = default;
};

class SimKeptRows;

class SimOutbox : public SimHistory {
  public:
    explicit SimOutbox(std::uint32_t entities) : SimOutbox(entities, nullptr) {}
    // While that table is there, what a clean-up deletes is copied into it.
    void keep_in(SimKeptRows& kept) { kept_ = &kept; }

    // What the table held before there were triggers.
    void hold(std::uint32_t entity, RowKind kind);

    void end(const Transaction& transaction, Fate fate) override;
    Revision end_of_history() const override { return rows().size(); }
    bool is_removed(std::uint32_t entity) const override;
    RowKind kind_of(Revision revision, std::uint64_t content) const override;
    bool is_foreign(std::uint32_t entity, Revision version) const override;

    const EntityState& present(std::uint32_t entity) const { return states().at(entity); }
    // Some content of the entity that is newer than this one, or any, was of that kind.
    bool was_removed_after(std::uint32_t entity, std::uint64_t content) const;
    bool was_ever_bad(std::uint32_t entity) const;
    // A row that is committed and not deleted; whoever looks may see it.
    bool is_there(Revision revision) const;
    // The highest one of an entity; 0: it has none.
    Revision highest_row(std::uint32_t entity) const;
    // Rows that are there, rising.
    std::vector<Revision> rows_there() const;
    // What a row that is there stands for: itself, or the row that it was renewed from first.
    Revision origin(Revision revision) const { return origins_.at(revision - 1); }

    // MariaDB is restored from the backup that was made after so many commits of writers, or, where there are
    // not so many, the outbox is truncated: ids are handed out again. No transaction may be open.
    void restore(std::size_t commits);
    std::size_t commits() const { return backups_.size(); }

    engine::LookUpAnswer look_up(const engine::LookUpRequest& request) const override;
    std::shared_ptr<const engine::Page> read(const engine::ReadRequest& request, const Scan* scan, TimeMs now,
                                             bool shorten, SimRandom& random) const override;

    // A transaction of a clean-up: new rows get their ids when it begins, and all of it is seen when it ends.
    // Empty: it was rolled back meanwhile.
    struct CleanUp {
        std::uint64_t number = 0;
        std::vector<Revision> deleted;
        Transaction written;
        std::vector<std::uint32_t> keeps;  // entities of which rows are to be copied into the kept ones
        std::optional<Transaction> kept;   // those rows, when they are inserted
        bool wants_end = false;
        engine::CleanedUp answer;
    };
    // It has late rows to renew, but ids end below those that were read: nothing is renewed then.
    bool has_gone_back(const engine::CleanUpRequest& request) const;
    CleanUp begin_clean_up(const engine::CleanUpRequest& request);
    // `of_the_dead`: nobody waits for it any more, and its rows stand for themselves.
    std::optional<engine::CleanedUp> end_clean_up(const CleanUp& clean_up, bool of_the_dead = false);
    void roll_back(const CleanUp& clean_up);
    void roll_back_clean_ups();

    // An id for nobody; and ids are above this one from now on.
    Revision take_id();
    void raise_to(Revision id);

  protected:
    // `table`: the outbox whose table this one's rows tell of; null: it has one of its own.
    SimOutbox(std::uint32_t entities, const SimOutbox* table);
    Revision write_again(std::uint32_t entity, Revision origin);
    bool has_clean_ups() const { return !clean_ups_.empty(); }

  private:
    struct Backup {
        std::vector<HistoryRow> rows;
        std::vector<Revision> origins;
        std::vector<EntityState> present;
    };
    const std::vector<EntityState>& states() const { return table_ == nullptr ? present_ : table_->present_; }
    bool keep_rows(CleanUp& clean_up);
    void undo(const CleanUp& clean_up);
    void read_rows(const engine::ReadRequest& request, std::uint64_t entities_max, engine::Page& page) const;
    void read_table(const engine::ReadRequest& request, std::uint64_t rows_max, engine::Page& page) const;
    void put(engine::Page& page, Revision revision, std::uint32_t entity, const EntityState& state) const;

    std::vector<EntityState> present_;
    std::vector<Revision> origins_;                 // of each row
    std::vector<RowKind> kinds_{RowKind::removed};  // of each content
    std::vector<std::uint32_t> owners_{0};          // and the entity
    std::vector<Backup> backups_;
    std::vector<CleanUp> clean_ups_;  // that are open
    std::uint64_t clean_ups_begun_ = 0;
    const SimOutbox* table_;
    SimKeptRows* kept_ = nullptr;
};

// The table of a rebuild (src/ops/rebuild_outbox.h): an outbox with ids of its own, about the same table.
class SimKeptRows final : public SimOutbox {
  public:
    explicit SimKeptRows(const SimOutbox& outbox) : SimOutbox(outbox.entities(), &outbox), outbox_(outbox) {}

    bool exists() const { return exists_; }
    // No transaction that uses it may be open: DROP TABLE waits for those.
    bool is_in_use() const { return has_clean_ups() || has_open_rows(); }
    void make();
    void drop();
    // Whether clean-ups find it.
    bool takes_rows() const { return exists_ && takes_rows_; }
    void take_rows_from_now_on() { takes_rows_ = true; }

    Revision keep(std::uint32_t entity) { return write_again(entity, 0); }
    // No row tells of the entity: neither one that is kept, nor one that will be.
    bool is_settled(std::uint32_t entity) const {
        return highest_row(entity) == 0 && outbox_.highest_row(entity) == 0;
    }
    std::shared_ptr<const engine::Page> read(const engine::ReadRequest& request, const Scan* scan, TimeMs now,
                                             bool shorten, SimRandom& random) const override;

  private:
    const SimOutbox& outbox_;
    bool exists_ = false;
    bool takes_rows_ = true;
};

// The content that a row carries to the index.
std::uint64_t content_of(const engine::Row& row);

}  // namespace pawl::simulation
