// Whether the records of a pipeline fit together. Each by itself has a checksum that is right; together they
// must be what the transitions (journal/transition.h) let be written. A journal that says otherwise was not
// written by a sound pawl, and its engine would stop at an assertion.
#pragma once

#include <vector>

#include "journal/reader.h"
#include "journal/record.h"

namespace pawl::journal {

// What contradicts what; FORMAT.md, "Between records", has the rules. `batches` are sorted by id.
std::vector<Damage> contradictions_in(const PipelineSnapshot& snapshot);

}  // namespace pawl::journal
