#include "source/sql.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <vector>

#include "base/assert.h"

namespace pawl::source {

std::string identifier(std::string_view name) {
    std::string quoted = "`";
    for (const char byte : name) {
        if (byte == '`') quoted += '`';
        quoted += byte;
    }
    quoted += '`';
    return quoted;
}

std::string table_identifier(std::string_view database, std::string_view table) {
    return identifier(database) + "." + identifier(table);
}

std::string among(std::string_view column, std::span<const engine::Interval> intervals) {
    PAWL_ASSERT(!intervals.empty());
    std::string text;
    std::vector<engine::Revision> singles;
    for (const auto& interval : intervals) {
        if (interval.first == interval.last) {
            singles.push_back(interval.first);
            continue;
        }
        fmt::format_to(std::back_inserter(text), "{}{} BETWEEN {} AND {}", text.empty() ? "" : " OR ", column,
                       interval.first, interval.last);
    }
    if (!singles.empty()) {
        if (!text.empty()) text += " OR ";
        text += among(column, std::span<const engine::Revision>(singles));
    }
    return "(" + text + ")";
}

std::string among(std::string_view column, std::span<const engine::Revision> revisions) {
    PAWL_ASSERT(!revisions.empty());
    return fmt::format("{} IN ({})", column, fmt::join(revisions, ","));
}

engine::Revision revision_in(std::string_view text) {
    engine::Revision revision = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), revision);
    PAWL_ASSERT(parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size());
    return revision;
}

}  // namespace pawl::source
