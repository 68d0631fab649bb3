// Random changes that a journal in a given state may legally get.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "journal/change.h"
#include "tests/support/journal_model.h"

namespace pawl::powerloss {

class Chance {
  public:
    explicit Chance(std::uint64_t seed) : generator_(seed) {}
    // 0 … bound - 1; the same on every machine.
    std::uint64_t below(std::uint64_t bound) { return generator_() % bound; }
    bool one_in(std::uint64_t bound) { return below(bound) == 0; }

  private:
    std::mt19937_64 generator_;
};

// One to four changes, carried out on `model` too. `number` makes each transaction's state differ from every
// other: it is written into the condition of one pipeline.
std::vector<journal::Change> some_transaction(journal::test::JournalModel& model, std::uint64_t number,
                                              Chance& chance);

// A batch of 100 entries for the quarantine, 300 KB: thirty of them fill the map that a journal begins with.
std::vector<journal::Change> large_transaction(journal::test::JournalModel& model, std::uint64_t number);

}  // namespace pawl::powerloss
