// How far two words are from each other, for "did you mean".
#pragma once

#include <cstddef>
#include <string_view>

namespace pawl {

// Levenshtein's: the fewest insertions, deletions and replacements of bytes. Time and memory grow with the
// product of the lengths.
std::size_t edit_distance(std::string_view left, std::string_view right);

}  // namespace pawl
