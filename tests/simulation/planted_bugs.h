// The mistakes of base/planted.h, each with a word of explanation and how soon the simulation finds it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/planted.h"
#include "journal/record.h"

namespace pawl::simulation {

struct PlantedBug {
    planted::Bug bug = planted::Bug::none;
    std::string_view name;
    std::uint32_t schedules_max = 0;  // within so many it is found, from seed 1 on; 0: it is not
    std::string_view mistake;         // what somebody thought
    std::string_view why_not_found = {};
    journal::SourceMode mode = journal::SourceMode::revision;  // that it is looked for in
    bool in_rebuild = false;  // in schedules with a rebuild (rebuild_options_of)
};

std::span<const PlantedBug> planted_bugs();
// Null: there is none of that name.
const PlantedBug* planted_bug_named(std::string_view name);
// Empty for Bug::none.
std::string_view name_of(planted::Bug bug);

}  // namespace pawl::simulation
