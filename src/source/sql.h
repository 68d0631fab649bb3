// Pieces of SQL text. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/page.h"

namespace pawl::source {

// `name`, with backticks inside doubled. MariaDB allows every character but NUL in an identifier.
std::string identifier(std::string_view name);

// `database`.`table`
std::string table_identifier(std::string_view database, std::string_view table);

// "(`id` BETWEEN 1 AND 5 OR `id` BETWEEN 9 AND 9)"; single revisions share one IN list. `intervals` must be
// sorted and not empty. `column` is SQL text.
std::string among(std::string_view column, std::span<const engine::Interval> intervals);

// "`id` IN (1,2,3)"; `revisions` must not be empty.
std::string among(std::string_view column, std::span<const engine::Revision> revisions);

// A revision as MariaDB prints it.
engine::Revision revision_in(std::string_view text);

}  // namespace pawl::source
