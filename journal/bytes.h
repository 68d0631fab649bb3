// Numbers, texts and interval sets as bytes: fixed little-endian numbers, texts with their length before
// them, interval sets as varints. FORMAT.md, "Building blocks".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "journal/interval_set.h"

namespace pawl::journal {

class ByteWriter {
  public:
    void u8(std::uint8_t number) { bytes_.push_back(static_cast<char>(number)); }
    void u16(std::uint16_t number) { little_endian(number, 2); }
    void u32(std::uint32_t number) { little_endian(number, 4); }
    void u64(std::uint64_t number) { little_endian(number, 8); }
    void i64(std::int64_t number) { u64(static_cast<std::uint64_t>(number)); }
    void u64_big_endian(std::uint64_t number);
    void raw(std::string_view bytes) { bytes_ += bytes; }
    // At most 65535 bytes.
    void text(std::string_view text);
    void varint(std::uint64_t number);
    // Members are 1 … revision_max, at most limits::intervals_max intervals.
    void intervals(const IntervalSet& set);

    std::size_t size() const { return bytes_.size(); }
    std::string take() && { return std::move(bytes_); }

  private:
    void little_endian(std::uint64_t number, int bytes);
    std::string bytes_;
};

// Reads what ByteWriter wrote, from any bytes. After the first failure every read gives 0 or nothing and
// `failure` says what was wrong; so the caller may read a whole record and ask once.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(little_endian(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(little_endian(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(little_endian(4)); }
    std::uint64_t u64() { return little_endian(8); }
    std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
    std::uint64_t u64_big_endian();
    // `what` names the text in the failure.
    std::string text(std::size_t bytes_max, std::string_view what);
    std::uint64_t varint();
    IntervalSet intervals();
    // A number that must be a revision or 0.
    Revision revision(std::string_view what);

    // For the caller's own findings; the first one stays.
    void fail(std::string what);
    // Fails when bytes are left.
    void expect_end();
    bool failed() const { return !failure_.empty(); }
    const std::string& failure() const { return failure_; }

  private:
    bool take(std::size_t bytes, std::string_view& taken);
    std::uint64_t little_endian(std::size_t bytes);

    std::string_view bytes_;
    std::size_t position_ = 0;
    std::string failure_;
};

}  // namespace pawl::journal
