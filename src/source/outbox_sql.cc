#include "source/outbox_sql.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/assert.h"
#include "config/values.h"
#include "source/limits.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

using Texts = std::vector<std::string>;

Texts identifiers(const Texts& names, std::string_view before = "") {
    Texts quoted;
    for (const std::string& name : names)
        quoted.push_back(std::string(before) + identifier(name));
    return quoted;
}

// One key of a table whose changes the outbox is told.
struct WatchedKey {
    const config::EntityForm* entity;
    bool may_be_null;  // then it names no entity
};

struct WatchedTable {
    std::string name;
    std::vector<WatchedKey> keys;
};

// Each table once, whatever it is joined by: one trigger for each event does for all of its keys.
std::vector<WatchedTable> watched_tables(const config::Source& source) {
    std::vector<WatchedTable> tables{{source.table, {{&source.outbox->entity, false}}}};
    for (const config::JoinedTable& joined : source.outbox->joined) {
        const auto found = std::ranges::find(tables, joined.table, &WatchedTable::name);
        auto& table =
            found == tables.end() ? tables.emplace_back(joined.table, std::vector<WatchedKey>{}) : *found;
        table.keys.push_back({&joined.entity, true});
    }
    return tables;
}

class BodyWriter {
  public:
    explicit BodyWriter(const config::Outbox& outbox)
        : insert_(fmt::format("INSERT INTO {} ({})", identifier(outbox.table),
                              fmt::join(identifiers(outbox_columns(outbox.entity)), ", "))) {}

    // `row`: "NEW" or "OLD". `further`: a condition, empty for none.
    void write(std::string_view row, const WatchedKey& key, const std::string& further = "") {
        const Texts values = identifiers(key.entity->columns, std::string(row) + ".");
        const std::string insert = fmt::format("{} VALUES ({})", insert_, fmt::join(values, ", "));
        Texts conditions;
        if (key.may_be_null)
            for (const std::string& value : values)
                conditions.push_back(value + " IS NOT NULL");
        if (!further.empty()) conditions.push_back(further);
        is_compound_ = is_compound_ || !conditions.empty();
        statements_.push_back(conditions.empty() ? insert
                                                 : fmt::format("IF {} THEN\n    {};\n  END IF",
                                                               fmt::join(conditions, " AND "), insert));
    }

    std::string body() const {
        if (statements_.size() == 1 && !is_compound_) return statements_.front();
        std::string body = "BEGIN\n";
        for (const std::string& statement : statements_)
            body += "  " + statement + ";\n";
        return body + "END";
    }

  private:
    std::string insert_;
    Texts statements_;
    bool is_compound_ = false;
};

// BINARY: a collation may hold the old and the new key equal, and they are two entities.
std::string is_changed(const WatchedKey& key) {
    Texts changed;
    for (const std::string& column : identifiers(key.entity->columns))
        changed.push_back(fmt::format("NOT (BINARY OLD.{0} <=> BINARY NEW.{0})", column));
    return fmt::format("({})", fmt::join(changed, " OR "));
}

std::string body_of(const config::Outbox& outbox, const WatchedTable& table, std::string_view event) {
    BodyWriter writer(outbox);
    for (const WatchedKey& key : table.keys) {
        if (event != "DELETE") writer.write("NEW", key);
        if (event == "DELETE") writer.write("OLD", key);
        if (event == "UPDATE") writer.write("OLD", key, is_changed(key));
    }
    return writer.body();
}

// A table can be joined to several pipelines and have an outbox of its own: its triggers for other outboxes
// than its own bear the outbox's name.
std::string trigger_name(const config::Source& source, const std::string& table, std::string_view event) {
    const bool is_own =
        table == source.table && source.outbox->table == config::bounded_identifier("pawl_outbox_" + table);
    std::string lower(event);
    std::ranges::transform(lower, lower.begin(), [](unsigned char byte) { return std::tolower(byte); });
    return config::bounded_identifier(
        fmt::format("{}_{}_{}", is_own ? "pawl" : source.outbox->table, table, lower));
}

bool is_space(char byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

// Of what an identifier without quotes can be made.
bool is_name_byte(char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return std::isalnum(code) != 0 || byte == '_' || byte == '$' || code >= 0x80;
}

}  // namespace

std::vector<std::string> outbox_columns(const config::EntityForm& entity) {
    if (entity.columns.size() == 1) return {"entity"};
    Texts columns;
    for (const std::string& column : entity.columns)
        columns.push_back(config::bounded_identifier("entity_" + column));
    return columns;
}

std::string outbox_column_type(const Column& of_key) {
    const std::string character_set =
        of_key.is_character
            ? fmt::format(" CHARACTER SET {} COLLATE {}", of_key.character_set, of_key.collation)
            : "";
    return fmt::format("{}{} NOT NULL", of_key.type, character_set);
}

std::string create_outbox(std::string_view database, const config::Outbox& outbox,
                          std::span<const Column> key) {
    const Texts names = outbox_columns(outbox.entity);
    PAWL_ASSERT(names.size() == key.size());
    std::string columns =
        fmt::format("  {} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY", identifier(outbox_id));
    for (std::size_t at = 0; at < names.size(); ++at)
        columns += fmt::format(",\n  {} {}", identifier(names[at]), outbox_column_type(key[at]));
    return fmt::format("CREATE TABLE IF NOT EXISTS {} (\n{}\n) ENGINE = InnoDB",
                       table_identifier(database, outbox.table), columns);
}

std::string drop_outbox(std::string_view database, const config::Outbox& outbox) {
    return fmt::format("DROP TABLE IF EXISTS {}", table_identifier(database, outbox.table));
}

std::vector<Trigger> outbox_triggers(const config::Source& source) {
    std::vector<Trigger> triggers;
    for (const WatchedTable& table : watched_tables(source))
        for (const char* const event : {"INSERT", "UPDATE", "DELETE"})
            triggers.push_back({.name = trigger_name(source, table.name, event),
                                .table = table.name,
                                .event = event,
                                .body = body_of(*source.outbox, table, event)});
    return triggers;
}

std::string create_trigger(std::string_view database, const Trigger& trigger) {
    return fmt::format("CREATE OR REPLACE TRIGGER {} AFTER {} ON {} FOR EACH ROW\n{}",
                       table_identifier(database, trigger.name), trigger.event,
                       table_identifier(database, trigger.table), trigger.body);
}

std::string drop_trigger(std::string_view database, std::string_view name) {
    return fmt::format("DROP TRIGGER IF EXISTS {}", table_identifier(database, name));
}

std::string try_definer(std::string_view database, const config::Outbox& outbox, std::string_view table,
                        const config::EntityForm& key) {
    return fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} LIMIT 0",
                       table_identifier(database, outbox.table),
                       fmt::join(identifiers(outbox_columns(outbox.entity)), ", "),
                       fmt::join(identifiers(key.columns), ", "), table_identifier(database, table));
}

std::string session_for_outbox() {
    return fmt::format("SET NAMES utf8mb4, SESSION sql_mode = '', SESSION lock_wait_timeout = {}",
                       limits::trigger_lock_wait_s);
}

std::string client_script(std::span<const std::string> statements) {
    std::string script;
    for (const std::string& statement : statements) {
        const bool holds_semicolon = statement.find(';') != std::string::npos;
        script += holds_semicolon ? fmt::format("DELIMITER $$\n{}$$\nDELIMITER ;\n", statement)
                                  : fmt::format("{};\n", statement);
    }
    return script;
}

bool is_same_body(std::string_view left, std::string_view right) {
    const auto without_space = [](std::string_view text) {
        std::string rest;
        std::ranges::copy_if(text, std::back_inserter(rest), [](char byte) { return !is_space(byte); });
        return rest;
    };
    return without_space(left) == without_space(right);
}

bool mentions(std::string_view body, std::string_view table) {
    const std::string quoted = identifier(table);
    if (body.find(quoted) != body.npos) return true;
    for (auto at = body.find(table); at != body.npos; at = body.find(table, at + 1)) {
        const bool begins = at == 0 || (!is_name_byte(body[at - 1]) && body[at - 1] != '`');
        const auto end = at + table.size();
        const bool ends = end == body.size() || (!is_name_byte(body[end]) && body[end] != '`');
        if (begins && ends) return true;
    }
    return false;
}

}  // namespace pawl::source
