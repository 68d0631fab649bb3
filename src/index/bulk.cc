#include "index/bulk.h"

#include <charconv>
#include <cstring>
#include <string_view>

#include "base/assert.h"

namespace pawl::index {
namespace {

constexpr std::string_view index_head = R"({"index":{"_id":")";
constexpr std::string_view remove_head = R"({"delete":{"_id":")";
constexpr std::string_view version_head = R"(","version":)";
constexpr std::string_view tail = R"(,"version_type":"external_gte"}})"
                                  "\n";
constexpr std::size_t version_digits_max = 20;
constexpr std::size_t escaped_byte_max = 6;  // \u001f
constexpr std::size_t frame_bytes_max =
    remove_head.size() + version_head.size() + version_digits_max + tail.size() + 1;

char* put(char* to, std::string_view text) {
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return to + text.size();
}

bool needs_escape(char byte) {
    return static_cast<unsigned char>(byte) < 0x20 || byte == '"' || byte == '\\';
}

char* put_escaped(char* to, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (const char byte : text) {
        if (!needs_escape(byte)) {
            *to++ = byte;
        } else if (byte == '"' || byte == '\\') {
            *to++ = '\\';
            *to++ = byte;
        } else {
            to = put(to, "\\u00");
            *to++ = hex[static_cast<unsigned char>(byte) >> 4];
            *to++ = hex[static_cast<unsigned char>(byte) & 15];
        }
    }
    return to;
}

char* put_action(char* to, const engine::Row& row) {
    PAWL_ASSERT(row.action != engine::Action::invalid);
    const bool is_index = row.action == engine::Action::index;
    to = put(to, is_index ? index_head : remove_head);
    to = put_escaped(to, row.entity);
    to = put(to, version_head);
    to = std::to_chars(to, to + version_digits_max, row.revision).ptr;
    to = put(to, tail);
    if (!is_index) return to;
    PAWL_ASSERT(!row.document.empty());
    // A line break would end the document and turn its rest into the next action.
    PAWL_ASSERT(std::memchr(row.document.data(), '\n', row.document.size()) == nullptr);
    to = put(to, row.document);
    *to++ = '\n';
    return to;
}

std::size_t bytes_at_most(std::span<const engine::Row> actions) {
    std::size_t bytes = 0;
    for (const auto& row : actions)
        bytes += frame_bytes_max + row.entity.size() * escaped_byte_max + row.document.size();
    return bytes;
}

}  // namespace

void encode_bulk(std::span<const engine::Row> actions, std::string& out) {
    const std::size_t bytes_max = bytes_at_most(actions);
    out.clear();
    // Room for the worst case is reserved, not touched: what is not written costs no memory.
    out.resize_and_overwrite(bytes_max, [&](char* begin, std::size_t) {
        char* end = begin;
        for (const auto& row : actions)
            end = put_action(end, row);
        return static_cast<std::size_t>(end - begin);
    });
}

}  // namespace pawl::index
