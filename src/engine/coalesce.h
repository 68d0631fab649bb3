// From the rows of a page to the actions of a batch: at most one per entity.
#pragma once

#include <span>
#include <vector>

#include "engine/page.h"
#include "journal/record.h"

namespace pawl::engine {

// For each entity its row with the highest revision, in rising order of those revisions. Entities are told
// apart by their bytes. The views still point into the page.
std::vector<Row> coalesce(std::span<const Row> rows);

// Counts and digest of coalesced actions; `rows` is how many history rows they stand for.
journal::BatchContent content_of(std::span<const Row> actions, std::uint64_t rows);

}  // namespace pawl::engine
