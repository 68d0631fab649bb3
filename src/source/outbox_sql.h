// The outbox of one pipeline as SQL (docs/outbox.md): its table, and the triggers that write the keys of
// changed entities into it. Pure.
//
// The key's columns have the table's own types, so that a value always fits, and so that a reader can join
// the outbox with the table by the table's own key. Where that key's collation ignores case, a row of the
// outbox 'a' joins a row of the table 'A': whoever reads must compare byte for byte.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "source/column.h"

namespace pawl::source {

inline constexpr std::string_view outbox_id = "id";

// The outbox's columns for the entity's key, in the key's order: "entity", or where the key has several
// columns "entity_<column>" for each.
std::vector<std::string> outbox_columns(const config::EntityForm& entity);

// "CREATE TABLE IF NOT EXISTS …". `key`: the table's own columns, in the order of outbox_columns.
std::string create_outbox(std::string_view database, const config::Outbox& outbox,
                          std::span<const Column> key);
std::string drop_outbox(std::string_view database, const config::Outbox& outbox);

// The definition of an outbox's column for one of the key: "varchar(9) CHARACTER SET … COLLATE … NOT NULL".
std::string outbox_column_type(const Column& of_key);

struct Trigger {
    std::string name;
    std::string table;
    std::string event;  // "INSERT", "UPDATE", "DELETE"; always after it
    std::string body;   // one statement
};

// Three for the table and for each joined one, in that order. They depend on the config alone.
std::vector<Trigger> outbox_triggers(const config::Source& source);

// "CREATE OR REPLACE TRIGGER …"
std::string create_trigger(std::string_view database, const Trigger& trigger);
std::string drop_trigger(std::string_view database, std::string_view name);

// Changes nothing and fails where the user lacks what the triggers of `table` need of their definer: INSERT
// on the outbox, SELECT on the key. Without it the writers' own statements would fail.
std::string try_definer(std::string_view database, const config::Outbox& outbox, std::string_view table,
                        const config::EntityForm& key);

// What the statements expect of their session, whoever runs them.
std::string session_for_outbox();

// Statements as the mariadb client reads them, with DELIMITER where one holds a semicolon.
std::string client_script(std::span<const std::string> statements);

// Whether two bodies are the same but for white space, which clients do not keep.
bool is_same_body(std::string_view left, std::string_view right);

// Whether a trigger's body names this table, as a word of its own.
bool mentions(std::string_view body, std::string_view table);

}  // namespace pawl::source
