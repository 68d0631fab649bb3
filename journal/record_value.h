// What all records' values have in common: the type before, the checksum behind. journal/codec.h is for
// users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/error.h"
#include "journal/bytes.h"
#include "journal/format.h"

namespace pawl::journal::value {

using format::RecordType;

ByteWriter begin_value(RecordType type);
std::string finish_value(std::string_view key, ByteWriter writer);
// Checks checksum and type; gives the bytes between the type and the checksum.
Result<std::string_view> open_value(RecordType type, std::string_view key, std::string_view value);

bool is_name(std::string_view name);
// Splits "name, 0x00, rest" where the rest has `rest_bytes`; nothing when the key is no such key.
std::optional<std::string_view> name_in_key(std::string_view key, std::size_t rest_bytes);
std::unexpected<Error> no_such_key();

// Asserts that the text is no longer.
void write_limited(ByteWriter& writer, const std::string& text, std::size_t bytes_max);
std::uint8_t flags_of(ByteReader& reader, std::uint8_t known);

template <class T>
Result<T> result_of(const ByteReader& reader, T value) {
    if (reader.failed()) return fail(ErrorKind::storage, reader.failure());
    return value;
}

// Reads one byte that must be a member of an enum whose members are 1 … last.
template <class Enum>
Enum enum_of(ByteReader& reader, Enum last, std::string_view what) {
    const std::uint8_t number = reader.u8();
    if (number >= 1 && number <= static_cast<std::uint8_t>(last)) return static_cast<Enum>(number);
    reader.fail(fmt::format("{} {} is unknown", what, number));
    return last;
}

}  // namespace pawl::journal::value
