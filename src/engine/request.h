// What the engine asks of the source and of the index, and what the index answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/page.h"
#include "journal/record.h"

namespace pawl::engine {

// Chosen by the engine, unique within a pipeline's life; the answer carries it back.
using RequestId = std::uint64_t;

struct ReadRequest {
    RequestId id = 0;
    IntervalSet revisions;  // rows with these revisions are wanted; the last interval may end at revision_max
    std::uint32_t rows_max = 0;   // rows of `revisions` looked at; >= 1
    std::uint64_t bytes_max = 0;  // of documents; ends the page that passes it; `latest` ones: twice it
    // false: the rows themselves, in rising order.
    // true: for each entity that has a row among `revisions`, once, its latest row of the whole history.
    bool latest = false;
};

// One action of a bulk request: index or remove, with external_gte version = row.revision. Views into
// `pages`.
struct BulkRequest {
    RequestId id = 0;
    std::shared_ptr<const Page> page;
    std::vector<Row> actions;  // views into the page; never of action invalid; never empty
};

enum class ItemStatus : std::uint8_t {
    done,            // taken (200, 201; 404 not_found of a delete)
    superseded,      // 409: the index has a higher version, `stored_version` where the answer names it
    rejected,        // 400 and other refusals of this document: quarantine
    retry,           // 429, 5xx of one item: try again
    forbidden,       // 401, 403 of one item
    target_missing,  // 404 index_not_found: the alias or index is gone
};

struct ItemResult {
    ItemStatus status = ItemStatus::done;
    std::string error;   // the index's error type; empty when done
    std::string reason;  // for a person, bounded
    std::optional<Revision> stored_version;
};

// What the source adapter found out about the history.
struct SourceFacts {
    Revision history_end = 0;  // the highest revision that is there; 0: none
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
    TimeMs gc_deletes_ms = 60'000;
    std::string server;  // "Elasticsearch 8.19.7", for people
};

}  // namespace pawl::engine
