// What a pipeline in outbox mode reads: the outbox, the table whose changes it names, and the table or view
// that documents come from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "source/connection.h"
#include "source/entity_key.h"
#include "source/table.h"

namespace pawl::source {

// One column of the entity's key, under its three names.
struct KeyColumn {
    Column outbox;
    Column table;
    Column present;  // of the view; without one: of the table
};

struct OutboxLayout {
    Table outbox;
    Table table;
    std::optional<Table> view;
    EntityKey entity;
    std::vector<KeyColumn> key;               // in the order of the entity's template
    std::string key_name;                     // of the table's unique key with just these columns
    std::vector<std::size_t> key_order = {};  // its columns, as numbers of `key`

    // Of a rebuild (config::Outbox::kept_from): SQL text of the outbox that the rows come from; else empty.
    std::string kept_from = {};

    const Table& present() const { return view ? *view : table; }
    std::string outbox_name() const;  // SQL text
};

// SQL text of a column of the table or view, where a statement calls that `present`.
std::string present_column(const Column& column);

struct FitOutbox {
    OutboxLayout layout;
    std::vector<Error> warnings;  // that check_outbox finds
};

// Looks at the tables on an open connection, after all that `pawl check` looks at. Errors: what check_outbox
// finds, as one; and those of describe_outbox.
Result<FitOutbox> fit_outbox(Connection& connection, const config::MariaDb& settings,
                             const config::Pipeline& pipeline);

// The tables as they are; their keys may have other types than the check allows. Errors: invalid when a table
// is missing or lacks what is read of it, forbidden when it may not be read.
Result<OutboxLayout> describe_outbox(Connection& connection, const config::MariaDb& settings,
                                     const config::Pipeline& pipeline);

}  // namespace pawl::source
