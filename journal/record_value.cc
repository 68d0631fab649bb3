#include "journal/record_value.h"

#include <xxhash.h>

#include "base/assert.h"
#include "journal/limits.h"

namespace pawl::journal::value {
namespace {

std::uint64_t checksum_of(std::string_view key, std::string_view value) {
    std::string bytes;
    bytes.reserve(key.size() + value.size());
    bytes += key;
    bytes += value;
    return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

ByteWriter begin_value(RecordType type) {
    ByteWriter writer;
    writer.u8(static_cast<std::uint8_t>(type));
    return writer;
}

std::string finish_value(std::string_view key, ByteWriter writer) {
    const std::string body = std::move(writer).take();
    ByteWriter value;
    value.raw(body);
    value.u64(checksum_of(key, body));
    return std::move(value).take();
}

Result<std::string_view> open_value(RecordType type, std::string_view key, std::string_view value) {
    if (value.size() < 1 + format::checksum_bytes)
        return fail(ErrorKind::storage, fmt::format("cut short: {} bytes are no record", value.size()));
    const std::string_view body = value.substr(0, value.size() - format::checksum_bytes);
    if (ByteReader(value.substr(body.size())).u64() != checksum_of(key, body))
        return fail(ErrorKind::storage, "checksum differs");
    const auto found = static_cast<std::uint8_t>(value.front());
    if (found != static_cast<std::uint8_t>(type))
        return fail(ErrorKind::storage,
                    fmt::format("record type {} where {} belongs", found, static_cast<std::uint8_t>(type)));
    return body.substr(1);
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= limits::pipeline_name_bytes_max && name.find('\0') == name.npos;
}

std::optional<std::string_view> name_in_key(std::string_view key, std::size_t rest_bytes) {
    if (key.size() < rest_bytes + 1) return std::nullopt;
    const std::string_view name = key.substr(0, key.size() - rest_bytes - 1);
    if (!is_name(name) || key[name.size()] != '\0') return std::nullopt;
    return name;
}

std::unexpected<Error> no_such_key() {
    return fail(ErrorKind::storage, "its key is no key of this table");
}

void write_limited(ByteWriter& writer, const std::string& text, std::size_t bytes_max) {
    PAWL_ASSERT(text.size() <= bytes_max);
    writer.text(text);
}

std::uint8_t flags_of(ByteReader& reader, std::uint8_t known) {
    const std::uint8_t flags = reader.u8();
    if ((flags & ~known) != 0) reader.fail(fmt::format("flags {:#04x} are unknown", flags));
    return flags;
}

}  // namespace pawl::journal::value
