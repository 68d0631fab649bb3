#include "cli/text.h"

#include <algorithm>

#include <fmt/core.h>

namespace pawl::cli {
namespace {

// Characters, not bytes: how wide UTF-8 text is on a terminal, nearly always.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
    }));
}

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

std::string TextTable::to_text(std::string_view indent) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width_of(row[i]));
    }
    std::string text;
    for (const auto& row : rows_) {
        std::string line(indent);
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string space(widths[i] - width_of(row[i]), ' ');
            // The head of a column of numbers goes to the right as they do.
            const bool right =
                is_number(row[i]) || (&row == rows_.data() && rows_.size() > 1 && is_number(rows_[1][i]));
            line += right ? space + row[i] : row[i] + space;
            line += "  ";
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string to_text(const journal::IntervalSet& revisions, std::size_t shown_max) {
    std::string text;
    std::size_t shown = 0;
    for (const journal::Interval& interval : revisions.intervals()) {
        if (shown == shown_max) {
            text += fmt::format(" and {} more", revisions.intervals().size() - shown);
            break;
        }
        if (shown++ > 0) text += ", ";
        text += interval.first == interval.last ? fmt::format("{}", interval.first)
                                                : fmt::format("{}-{}", interval.first, interval.last);
    }
    return text;
}

std::string span_text(TimeMs from, TimeMs to) {
    if (to == 0) return {};
    const double span = static_cast<double>(to - from);
    if (span < 1'000) return fmt::format("{} ms", to - from);
    if (span < 60'000) return fmt::format("{:.1f} s", span / 1'000);
    if (span < 3'600'000) return fmt::format("{:.0f} min", span / 60'000);
    return fmt::format("{:.0f} h", span / 3'600'000);
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", number, number == 1 ? one : many);
}

std::string printable(std::string_view text) {
    std::string clean;
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (code < 0x20 || code == 0x7f)
            clean += fmt::format("\\x{:02x}", code);
        else
            clean += byte;
    }
    return clean;
}

std::string to_text(const journal::Incident& incident) {
    return fmt::format("{}  {}  {}", to_iso8601(incident.at), printable(incident.label),
                       printable(incident.text));
}

}  // namespace pawl::cli
