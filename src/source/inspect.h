// Guesses which columns play which part in a history table. For `pawl init`, which prints them for a person
// to check.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/connection.h"
#include "source/table.h"

namespace pawl::source {

// Empty strings: no column fits.
struct Guess {
    std::string revision;
    std::string entity;
    std::string deleted;
    std::string body;
};

// Pure. The revision: AUTO_INCREMENT and unique by itself, or the only unique integer. The entity: NOT NULL,
// fit for an id, with a key of its own, better where the name says id. Deleted: TINYINT(1) or BIT(1) with a
// telling name. Body: a JSON column, or a long text with a telling name.
Guess guess_columns(const Table& table);

// All base tables of the database that the user can see, described.
Result<std::vector<Table>> tables_of(Connection& connection, std::string_view database);

}  // namespace pawl::source
