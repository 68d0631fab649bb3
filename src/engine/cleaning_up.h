// Outbox mode: what is known of the clean-up, of which one is under way at a time (pipeline_outbox.cc).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "engine/errand.h"
#include "engine/request.h"
#include "journal/record.h"

namespace pawl::engine {

struct CleaningUp {
    // A row that gets a new revision.
    struct Renewal {
        journal::BatchId batch = 0;
        std::optional<std::uint32_t> place;  // of an action that was beaten; empty: the fill's was rejected
        Revision revision = 0;               // 0: of the table, known by its entity
        std::string entity;
    };
    enum class NewRows : std::uint8_t { asked_for, written };

    Errand asked;
    CleanUpRequest request;                        // that is under way
    TimeMs since = 0;                              // … when it began
    std::vector<Renewal> renewing;                 // … with it
    std::vector<Renewal> renewals;                 // to be asked for; as many as batches have actions
    std::map<journal::BatchId, NewRows> new_rows;  // of the fill, for what was rejected of it
    TimeMs late_next_at = 0;                       // late rows are looked for again
    bool late_known = false;                       // … they were, since recovery

    // All batches are given up. When late rows were last looked for stays true; what it has shown does not:
    // who recovers sets late_known.
    void forget() {
        renewals.clear();
        renewing.clear();
        new_rows.clear();
        asked.forget();
    }
};

}  // namespace pawl::engine
