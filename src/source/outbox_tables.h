// The tables of a pipeline in outbox mode: the source's own, those joined to it, and the outbox; and whether
// they fit each other.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "source/connection.h"
#include "source/findings.h"
#include "source/table.h"

namespace pawl::source {

struct OutboxTables {
    std::optional<Table> table;
    std::vector<std::optional<Table>> joined;  // as in the config
    std::optional<Table> outbox;               // empty: there is none, or it is hidden
    std::optional<Error> outbox_hidden = {};   // why nobody can tell whether it is there
};

// Describes them and checks the keys, and the outbox where there is one. What is empty and should not be is
// among the findings. An error is only for what kept it from looking.
Result<OutboxTables> look_at_outbox_tables(Connection& connection, std::string_view database,
                                           const config::Source& source, Findings& findings);

// The columns of the key in its order; empty when the table lacks one.
std::vector<Column> columns_of_key(const Table& table, const config::EntityForm& entity);

// The table's key: its columns must be there, fit for an id, NOT NULL, and unique together.
void check_entity_key(const Table& table, const config::Source& source, Findings& findings);

// A joined table's key: its values must fit into the columns of the pipeline's.
void check_joined_key(const Table& joined, const config::EntityForm& entity, const Table& table,
                      const config::Source& source, Findings& findings);

// The outbox's columns: id, and a column for each one of the key that takes all of its values and compares as
// it does. A column that is merely wider is a warning.
void check_outbox_columns(const Table& outbox, const Table& table, const config::Source& source,
                          Findings& findings);

// Whether every value of a column can be stored in another one, with the same bytes.
bool holds_all_of(const Column& into, const Column& from);

}  // namespace pawl::source
