// How large rows are: how many to ask for, and what to do with those that nobody wants any more.
#pragma once

#include <cstdint>

#include "source/connection.h"

namespace pawl::source {

// Of one reader; learns from statement to statement.
class RowSizes {
  public:
    // `bytes_mean`: the storage engine's estimate; 0: unknown.
    explicit RowSizes(std::uint64_t bytes_mean);

    // How many rows to ask for, so that they are about so many bytes.
    std::uint64_t rows_for(std::uint64_t bytes) const;

    // The present row of a statement's result.
    void note(const ResultSet& rows);
    // The end of the statement.
    void learn();

    // The largest row since the page began: what the connection's buffers have grown to.
    std::uint64_t largest() const { return largest_; }
    void begin_page() { largest_ = 0; }

  private:
    std::uint64_t mean_;
    std::uint64_t rows_ = 0;   // of the statement under way
    std::uint64_t bytes_ = 0;  // the same
    std::uint64_t largest_ = 0;
};

// Reads what is left, so that the connection can go on; or abandons the connection when that is much.
void drain(Connection& connection, ResultSet& rows);

}  // namespace pawl::source
