#include "config/problems.h"

#include <algorithm>

#include <fmt/core.h>

#include "config/limits.h"

namespace pawl::config {

std::string shortened(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return std::string(text);
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return std::string(text.substr(0, end)) + "…";
}

std::string Problems::at(const Place& place) const {
    std::string text = file_.string();
    if (place.line > 0) text += fmt::format(":{}", place.line);
    text += ": ";
    if (!place.key.empty()) text += shortened(place.key, limits::shown_key_bytes_max) + ": ";
    return text;
}

void Problems::found(const Place& place, std::string_view found, std::string_view expected,
                     const std::string& advice) {
    add(place,
        fmt::format("found {}, expected {}", shortened(found, limits::shown_value_bytes_max), expected),
        advice);
}

void Problems::missing(const Place& place, std::string_view expected) {
    add(place, fmt::format("is missing, expected {}", expected),
        fmt::format("set {}", shortened(place.key, limits::shown_key_bytes_max)));
}

void Problems::add(const Place& place, std::string_view what, const std::string& advice) {
    errors_.push_back(
        {place.line, Error{ErrorKind::invalid, at(place) + shortened(what, limits::shown_problem_bytes_max),
                           shortened(advice, limits::shown_problem_bytes_max)}});
}

void Problems::warn(const Place& place, std::string_view what) {
    warnings_.push_back(at(place) + shortened(what, limits::shown_problem_bytes_max));
}

std::vector<Error> Problems::errors() const {
    std::vector<Entry> sorted = errors_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Entry& left, const Entry& right) { return left.line < right.line; });
    std::vector<Error> errors;
    errors.reserve(sorted.size());
    for (Entry& entry : sorted)
        errors.push_back(std::move(entry.error));
    return errors;
}

std::vector<std::string> Problems::warnings() const {
    return warnings_;
}

}  // namespace pawl::config
