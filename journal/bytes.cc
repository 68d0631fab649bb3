#include "journal/bytes.h"

#include <limits>
#include <vector>

#include <fmt/core.h>

#include "base/assert.h"
#include "journal/limits.h"

namespace pawl::journal {
namespace {

constexpr std::uint8_t more_follow = 0x80;  // of a varint's byte
constexpr int varint_bytes_max = 10;

}  // namespace

void ByteWriter::little_endian(std::uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i)
        u8(static_cast<std::uint8_t>(number >> (8 * i)));
}

void ByteWriter::u64_big_endian(std::uint64_t number) {
    for (int i = 7; i >= 0; --i)
        u8(static_cast<std::uint8_t>(number >> (8 * i)));
}

void ByteWriter::text(std::string_view text) {
    PAWL_ASSERT(text.size() <= std::numeric_limits<std::uint16_t>::max());
    u16(static_cast<std::uint16_t>(text.size()));
    bytes_ += text;
}

void ByteWriter::varint(std::uint64_t number) {
    while (number >= more_follow) {
        u8(static_cast<std::uint8_t>(number) | more_follow);
        number >>= 7;
    }
    u8(static_cast<std::uint8_t>(number));
}

void ByteWriter::intervals(const IntervalSet& set) {
    PAWL_ASSERT(set.intervals().size() <= limits::intervals_max);
    PAWL_ASSERT(set.empty() || (set.lowest() >= 1 && set.highest() <= revision_max));
    varint(set.intervals().size());
    Revision previous_last = 0;
    for (const Interval& interval : set.intervals()) {
        varint(interval.first - previous_last);
        varint(interval.last - interval.first);
        previous_last = interval.last;
    }
}

void ByteReader::fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
}

bool ByteReader::take(std::size_t bytes, std::string_view& taken) {
    if (failed()) return false;
    if (bytes > bytes_.size() - position_) {
        fail(fmt::format("cut short: {} more bytes are needed at byte {} of {}", bytes, position_,
                         bytes_.size()));
        return false;
    }
    taken = bytes_.substr(position_, bytes);
    position_ += bytes;
    return true;
}

std::uint64_t ByteReader::little_endian(std::size_t bytes) {
    std::string_view taken;
    if (!take(bytes, taken)) return 0;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        number |= std::uint64_t{static_cast<unsigned char>(taken[i])} << (8 * i);
    return number;
}

std::uint64_t ByteReader::u64_big_endian() {
    std::string_view taken;
    if (!take(8, taken)) return 0;
    std::uint64_t number = 0;
    for (const char byte : taken)
        number = number << 8 | static_cast<unsigned char>(byte);
    return number;
}

std::string ByteReader::text(std::size_t bytes_max, std::string_view what) {
    const std::size_t size = u16();
    if (size > bytes_max) fail(fmt::format("{} has {} bytes, more than {}", what, size, bytes_max));
    std::string_view taken;
    return take(size, taken) ? std::string(taken) : std::string();
}

std::uint64_t ByteReader::varint() {
    std::uint64_t number = 0;
    for (int i = 0; i < varint_bytes_max; ++i) {
        const std::uint8_t byte = u8();
        if (failed()) return 0;
        const std::uint64_t part = byte & ~more_follow;
        const bool overflows = i == varint_bytes_max - 1 && part > 1;
        const bool padded = i > 0 && byte == 0;  // the same number has a shorter form
        if (overflows || padded) break;
        number |= part << (7 * i);
        if ((byte & more_follow) == 0) return number;
    }
    fail(fmt::format("no number at byte {}", position_));
    return 0;
}

IntervalSet ByteReader::intervals() {
    const std::uint64_t count = varint();
    const std::uint64_t count_max = (bytes_.size() - position_) / 2;  // an interval takes two bytes or more
    if (count > limits::intervals_max || count > count_max) {
        fail(fmt::format("{} intervals cannot be in {} bytes", count, bytes_.size() - position_));
        return {};
    }
    std::vector<Interval> intervals;
    intervals.reserve(count);
    Revision previous_last = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t distance = varint();
        const std::uint64_t beyond_first = varint();
        const std::uint64_t distance_min = i == 0 ? 1 : 2;  // adjacent intervals would be one
        if (failed()) break;
        const std::uint64_t room = revision_max - previous_last;
        if (distance < distance_min || distance > room || beyond_first > room - distance) {
            fail(fmt::format("interval {} is out of order or range", i));
            break;
        }
        previous_last += distance + beyond_first;
        intervals.push_back({previous_last - beyond_first, previous_last});
    }
    return failed() ? IntervalSet() : IntervalSet(intervals);
}

Revision ByteReader::revision(std::string_view what) {
    const std::uint64_t number = u64();
    if (number > revision_max) fail(fmt::format("{} is {}, no revision", what, number));
    return number;
}

void ByteReader::expect_end() {
    if (!failed() && position_ != bytes_.size())
        fail(fmt::format("{} bytes too many at its end", bytes_.size() - position_));
}

}  // namespace pawl::journal
