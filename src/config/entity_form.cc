#include "config/entity_form.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include <fmt/core.h>

#include "config/limits.h"
#include "journal/digest.h"
#include "journal/limits.h"

namespace pawl::config {
namespace {

std::unexpected<Error> wrong(std::string what) {
    return fail(ErrorKind::invalid, std::move(what));
}

bool is_column(std::string_view text) {
    return !text.empty() && text.size() <= limits::column_bytes_max;
}

char lower(char byte) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
}

// As MariaDB compares the names of columns, for ASCII.
bool same_column(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, lower, lower);
}

// Takes the column at the beginning of `rest`, which follows an opening brace.
Result<void> take_column(std::string_view& rest, EntityForm& form) {
    const auto end = rest.find_first_of("{}");
    if (end == rest.npos || rest[end] == '{') return wrong("a \"{\" without its \"}\"");
    const std::string_view column = rest.substr(0, end);
    if (!is_column(column)) return wrong(fmt::format("\"{{{}}}\", which is no column", column));
    if (!form.columns.empty() && form.literals.back().empty())
        return wrong("two columns with nothing between them");
    const auto same = [&](const std::string& other) { return same_column(other, column); };
    if (std::ranges::any_of(form.columns, same)) return wrong(fmt::format("the column \"{}\" twice", column));
    if (form.columns.size() == limits::entity_columns_max)
        return wrong(fmt::format("more than {} columns", limits::entity_columns_max));
    form.columns.emplace_back(column);
    form.literals.emplace_back();
    rest.remove_prefix(end + 1);
    return {};
}

}  // namespace

Result<EntityForm> parse_entity_form(std::string_view text) {
    if (text.find_first_of("{}") == text.npos) {
        if (!is_column(text)) return wrong("no column");
        return EntityForm{{std::string(text)}, {"", ""}};
    }
    EntityForm form{{}, {""}};
    for (std::string_view rest = text; !rest.empty();) {
        const char byte = rest.front();
        const bool doubled = rest.size() > 1 && rest[1] == byte;
        const bool is_brace = byte == '{' || byte == '}';
        rest.remove_prefix(is_brace && doubled ? 2 : 1);
        if (!is_brace || doubled) {
            form.literals.back() += byte;
        } else if (byte == '}') {
            return wrong("a \"}\" without its \"{\"");
        } else if (auto taken = take_column(rest, form); !taken) {
            return std::unexpected(std::move(taken.error()));
        }
    }
    if (form.columns.empty()) return wrong("no column in braces");
    return form;
}

std::string entities_of(const Pipeline& pipeline) {
    const auto& outbox = pipeline.source.outbox;
    return outbox ? entities_text(pipeline.source.table, outbox->entity) : std::string();
}

std::string entities_text(std::string_view table, const EntityForm& form) {
    std::string text = fmt::format("{} by ", table);
    for (std::size_t at = 0; at < form.literals.size(); ++at) {
        for (const char byte : form.literals[at])
            text.append(byte == '{' || byte == '}' ? 2 : 1, byte);
        if (at == form.columns.size()) break;
        text += '{';
        for (const char byte : form.columns[at])
            text += lower(byte);
        text += '}';
    }
    constexpr std::size_t digest_characters = 1 + 16;  // " " and a digest
    constexpr std::size_t bytes_max = journal::limits::identity_bytes_max;
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max - digest_characters;
    while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    return fmt::format("{} {:016x}", text.substr(0, end), journal::digest_of(text));
}

}  // namespace pawl::config
