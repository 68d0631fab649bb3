// What the engine asks of the source and of the index, and what the index answers.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/page.h"
#include "journal/record.h"

namespace pawl::engine {

// Chosen by the engine, unique within a pipeline's life; the answer carries it back.
using RequestId = std::uint64_t;

struct ReadRequest {
    RequestId id = 0;
    IntervalSet revisions;  // rows with these revisions are wanted; the last interval may end at revision_max
    // Rows of `revisions` looked at; >= 1. Outbox mode: entities that these name; so a page may stand for
    // several times as many rows (limits::outbox_rows_per_entity of the source).
    std::uint32_t rows_max = 0;
    std::uint64_t bytes_max = 0;  // of documents; ends the page that passes it; `latest` ones: twice it
    // false: the rows themselves, in rising order.
    // true: for each entity that has a row among `revisions`, once, its latest row of the whole history.
    bool latest = false;
    // Not with `latest`. Of the rows only those that an index without documents needs: of each entity the
    // latest one at or below the last revision that is asked for. Also where it deletes the entity: a request
    // of the pawl before may still arrive in the new index, and must find the tombstone. Which they are is
    // looked up once for many requests with the same last revision; a row that commits later is not among
    // them. `seen` holds all rows as ever. rows_max counts the rows that come.
    bool fill = false;
    // Not 0: the digest of this row too, from the same snapshot (Page::digest_beside).
    Revision beside = 0;
    // Outbox mode, first fill: no rows of the outbox (`revisions` is empty), but those of the table itself,
    // in the order of its key, after this position, which is a former page's `table_through`; "": all. They
    // have revision 0, which every revision beats.
    std::optional<std::string> table_after = {};
};

// Outbox mode: what is to become of rows of the outbox, all of it in one transaction that makes no writer
// wait. A row is *renewed* when it is deleted and its entity gets a new row, with a revision above all
// others.
struct CleanUpRequest {
    RequestId id = 0;
    IntervalSet done = {};                   // deleted: the index has what they stand for
    IntervalSet renew = {};                  // renewed, as far as they are there
    std::vector<std::string> entities = {};  // each gets a new row
    // Not 0: rows at or below it that are in none of `done`, `renew` and `known` have committed late, after
    // rows above them were read: they are renewed, at most rows_max of them, lowest first.
    Revision late_through = 0;
    IntervalSet known = {};
    std::uint32_t rows_max = 0;
    bool wants_end = false;  // CleanedUp::end
};

// Questions about single rows, answered from one snapshot.
struct LookUpRequest {
    RequestId id = 0;
    std::vector<Revision> anchors;  // of which rows a digest is wanted
    struct Version {
        std::string entity;
        Revision revision = 0;
    };
    std::vector<Version> versions = {};  // is this a row of the history, of this entity?
    // Outbox mode: takes a revision for nobody, which is the answer's history_end: not below any that was
    // handed out before, and below all that will be, also after a restart of the server. But only where
    // revisions up to this one have been handed out: an outbox that went back is left as it is, or its
    // counter would come nearer to what it was with each look.
    std::optional<Revision> take_id_from = {};
};

struct LookUpAnswer {
    Revision history_end = 0;  // as in SourceFacts
    std::uint64_t shape = 0;   // that the digests were made with
    std::vector<std::optional<std::uint64_t>> anchors =
        {};                           // digests, in the order asked; empty: no such row
    std::vector<bool> versions = {};  // in the order asked; outbox mode: has this revision been handed out?
};

// The state of a pipeline's lease: at most one pawl has it at a time.
struct Lease {
    enum class Outcome : std::uint8_t {
        held,   // ours, without a break since the answer before
        won,    // ours from now on; another one may have had it meanwhile
        taken,  // another one's; or nobody's, and this pawl must not have it
    };
    Outcome outcome = Outcome::taken;
    TimeMs asked_at = 0;      // by clock_now(); when held or won: it was ours then
    std::string reason = {};  // when taken, for a person: "connection 17 from app2:51514 feeds this pipeline"
};

// What the index itself remembers: `_meta.pawl` in its mapping.
struct Remembered {
    std::string pipeline;
    journal::SourceIdentity source;
    // Outbox mode: whose keys the outbox holds, and in which form: "lex by {id}". Empty: of a pawl that did
    // not say it yet.
    std::string entities = {};
    // Every row at or below it is in the index, or was beaten by a later one, or, of an outbox, is still
    // there.
    Revision revision = 0;
    // But for these: quarantined, at most limits::owed_max of them. Of an outbox, whose rows stay there, not
    // all.
    IntervalSet owed = {};
    std::optional<journal::Anchor> anchor = {};
    std::uint64_t shape = 0;
    bool filling = false;  // outbox mode: the first fill has not come to its end
    // Outbox mode, of an index that a rebuild has filled and no other pawl has fed yet: UUID of the index
    // that it takes the place of. Rows that are deleted from the outbox meanwhile, since that index has their
    // change, are kept for this one (ops/rebuild_outbox.h): it has had them too, or they will be in the
    // outbox again.
    std::string replaces = {};
    TimeMs written_at = 0;
    bool operator==(const Remembered&) const = default;

    // What a config that says `now` differs in, for a person; empty: in nothing that is known.
    std::string why_other_entities(const std::string& now) const;
};

// One action of a bulk request: index or remove, with external_gte version = row.revision. Views into
// `pages`.
struct BulkRequest {
    RequestId id = 0;
    std::shared_ptr<const Page> page;
    std::vector<Row> actions;  // views into the page; never of action invalid; never empty
    std::string index;         // that it is meant for, by name: what another one answers means nothing
    // By clock_now(): a request that has not begun by then may be older than a tombstone that has expired,
    // and has to fail as unavailable.
    TimeMs begin_before = std::numeric_limits<TimeMs>::max();
};

enum class ItemStatus : std::uint8_t {
    done,            // taken (200, 201; 404 not_found of a delete)
    superseded,      // 409: the index has a higher version, `stored_version` where the answer names it
    rejected,        // 400 and other refusals of this document: quarantine
    retry,           // 429, 5xx of one item: try again
    forbidden,       // 401, 403 of one item
    target_missing,  // 404 index_not_found: the alias or index is gone; or another index than ours took it
};

struct ItemResult {
    ItemStatus status = ItemStatus::done;
    std::string error;   // the index's error type; empty when done
    std::string reason;  // for a person, bounded
    std::optional<Revision> stored_version;
};

// What the source adapter found out about the history.
struct SourceFacts {
    // The highest revision that is there; 0: none. Outbox mode: the highest that was handed out, as far as
    // the server knows: after a restart not below any that was inserted; of a Galera cluster not below any
    // that is committed.
    Revision history_end = 0;
    std::uint64_t shape = 0;          // digest of what becomes of a row's columns; never 0 from a real source
    std::uint64_t rows_estimate = 0;  // outbox mode: the server's guess at the table's rows; 0: not known
    std::vector<Error> warnings = {};  // what keeps nothing from being read, but an operator should know
};

// What a look for open writers of the history has shown.
struct Proof {
    enum class Outcome : std::uint8_t {
        proven,       // nobody was writing: what `through` says holds
        busy,         // a transaction that may have written to the history is open; try again later
        not_allowed,  // the privilege for the proof is missing
    };
    Outcome outcome = Outcome::busy;
    // When proven: every revision at or below this one had been handed out before the proof, and its
    // transaction has ended. So one that a snapshot opened after this answer does not show is dead for ever.
    Revision through = 0;
    std::string reason = {};  // when not proven, for a person: who is in the way, which privilege is missing
};

// What the index adapter found out about the alias behind a pipeline.
struct TargetFacts {
    journal::TargetIdentity identity;
    bool created = false;  // made just now: nothing can have been in it
    bool empty = false;    // no pawl has written into it and it holds no document; may be left false
    TimeMs gc_deletes_ms = 60'000;
    std::string server;  // "Elasticsearch 8.19.7", for people
    std::optional<Remembered> remembered = {};
    bool async_durable = false;  // acknowledged writes may be lost when a node dies
};

}  // namespace pawl::engine
