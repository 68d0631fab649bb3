#include "source/inspect.h"

#include <algorithm>
#include <array>

namespace pawl::source {
namespace {

// Words that speak for a part, the strongest first; they count as part of a column's name.
constexpr std::array entity_words{"entity_id", "entity", "uuid", "external_id", "key", "id"};
constexpr std::array deleted_words{"deleted", "discarded", "removed", "tombstone", "is_deleted"};
constexpr std::array body_words{"body", "document", "data", "json", "payload", "content", "source"};

// The lower the better; words.size() when no word speaks for it.
template <std::size_t count>
std::size_t rank(const std::string& name, const std::array<const char*, count>& words) {
    const auto found =
        std::ranges::find_if(words, [&](const char* word) { return name.find(word) != std::string::npos; });
    return static_cast<std::size_t>(found - words.begin());
}

template <class Fits, class Rank>
std::string best(const Table& table, const Fits& fits, const Rank& rank_of) {
    const Column* chosen = nullptr;
    for (const Column& column : table.columns)
        if (fits(column) && (chosen == nullptr || rank_of(column) < rank_of(*chosen))) chosen = &column;
    return chosen == nullptr ? std::string{} : chosen->name;
}

bool is_long_text(const Column& column) {
    return column.data_type == "text" || column.data_type == "mediumtext" || column.data_type == "longtext";
}

}  // namespace

Guess guess_columns(const Table& table) {
    Guess guess;
    guess.revision = best(
        table,
        [&](const Column& column) {
            return can_be_revision(column) && !column.nullable &&
                   unique_key_of(table, column.name) != nullptr;
        },
        [](const Column& column) { return column.auto_increment ? 0 : 1; });
    guess.entity = best(
        table,
        [&](const Column& column) {
            return can_be_entity(column) && !column.nullable && column.kind != ColumnKind::boolean &&
                   !same_name(column.name, guess.revision) && unique_key_of(table, column.name) == nullptr &&
                   entity_key_of(table, column.name, guess.revision) != nullptr;
        },
        [](const Column& column) { return rank(column.name, entity_words); });
    guess.deleted = best(
        table,
        [](const Column& column) {
            return (column.kind == ColumnKind::boolean || column.kind == ColumnKind::bit_boolean) &&
                   rank(column.name, deleted_words) < deleted_words.size();
        },
        [](const Column& column) { return rank(column.name, deleted_words); });
    guess.body = best(
        table,
        [](const Column& column) {
            return column.kind == ColumnKind::json ||
                   (is_long_text(column) && rank(column.name, body_words) < body_words.size());
        },
        [](const Column& column) {
            return rank(column.name, body_words) * 2 + (column.kind == ColumnKind::json ? 0 : 1);
        });
    return guess;
}

Result<std::vector<Table>> tables_of(Connection& connection, std::string_view database) {
    const auto names = table_names(connection, database);
    if (!names) return std::unexpected(names.error());
    std::vector<Table> tables;
    for (const auto& name : *names) {
        auto table = describe(connection, database, name);
        if (!table && table.error().kind == ErrorKind::forbidden) continue;
        if (!table) return std::unexpected(std::move(table.error()));
        tables.push_back(std::move(*table));
    }
    return tables;
}

}  // namespace pawl::source
