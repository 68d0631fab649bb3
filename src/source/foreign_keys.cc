#include "source/foreign_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "source/sql.h"

namespace pawl::source {
namespace {

constexpr std::string_view line_begin = "  CONSTRAINT `";

// The name at the beginning of the text, up to its closing backtick; empty when it has none.
std::string unquoted(std::string_view text) {
    std::string name;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '`') {
            name += text[at];
        } else if (at + 1 < text.size() && text[at + 1] == '`') {
            name += text[at++];
        } else {
            return name;
        }
    }
    return {};
}

bool changes_rows(std::string_view actions) {
    return actions.find(" CASCADE") != actions.npos || actions.find(" SET NULL") != actions.npos;
}

}  // namespace

std::vector<Cascade> cascades_in(std::string_view definition) {
    std::vector<Cascade> cascades;
    while (!definition.empty()) {
        const auto end = std::min(definition.find('\n'), definition.size());
        std::string_view line = definition.substr(0, end);
        definition.remove_prefix(std::min(end + 1, definition.size()));
        if (!line.starts_with(line_begin) || line.find("` FOREIGN KEY (") == line.npos) continue;
        if (line.ends_with(',')) line.remove_suffix(1);
        // "… REFERENCES `lex` (`id`) ON DELETE CASCADE": after the last bracket stands nothing but actions.
        const std::string_view actions = line.substr(line.rfind(')') + 1);
        if (changes_rows(actions))
            cascades.push_back({unquoted(line.substr(line_begin.size())), std::string(actions.substr(1))});
    }
    return cascades;
}

Result<std::vector<Cascade>> cascades_of(Connection& connection, std::string_view database,
                                         std::string_view table) {
    const auto rows = connection.rows(fmt::format("SHOW CREATE TABLE {}", table_identifier(database, table)));
    if (!rows) return std::unexpected(rows.error());
    return cascades_in(rows->at(0).at(1).value_or(""));
}

}  // namespace pawl::source
