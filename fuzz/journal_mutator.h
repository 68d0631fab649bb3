// Changes a journal's data file so that the change gets past the first check: within a page, or within a
// record whose checksum, and the sum of all, is made right again.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pawl::fuzz {

// As LLVMFuzzerCustomMutator: changes `data` in place, gives its new size, at most `size_max`.
std::size_t mutate_journal(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed);

}  // namespace pawl::fuzz
