#include "source/row_sizes.h"

#include <algorithm>

#include "source/limits.h"

namespace pawl::source {
namespace {

// The size of a row as it came over the network.
std::uint64_t bytes_of(const ResultSet& rows) {
    std::uint64_t bytes = 0;
    for (std::size_t column = 0; column < rows.columns(); ++column)
        bytes += rows.lengths()[column];
    return bytes;
}

}  // namespace

RowSizes::RowSizes(std::uint64_t bytes_mean)
    : mean_(bytes_mean != 0 ? bytes_mean : limits::row_bytes_guess) {}

std::uint64_t RowSizes::rows_for(std::uint64_t bytes) const {
    // A quarter more than expected, so that a batch is rarely left half full; the rest is drained.
    const std::uint64_t expected = bytes / std::max<std::uint64_t>(mean_, 1);
    return std::max<std::uint64_t>(expected + expected / 4, limits::rows_per_statement_min);
}

void RowSizes::note(const ResultSet& rows) {
    const std::uint64_t bytes = bytes_of(rows);
    ++rows_;
    bytes_ += bytes;
    largest_ = std::max(largest_, bytes);
}

void RowSizes::learn() {
    if (rows_ != 0) mean_ = (mean_ + bytes_ / rows_) / 2;
    rows_ = 0;
    bytes_ = 0;
}

void drain(Connection& connection, ResultSet& rows) {
    std::uint64_t bytes = 0;
    while (bytes <= limits::drain_bytes_max) {
        const auto more = rows.next();
        if (more && !*more) return;
        if (!more) break;
        bytes += bytes_of(rows);
    }
    connection.abandon();
}

}  // namespace pawl::source
