#include "config/problems.h"

#include <algorithm>

#include <fmt/core.h>

namespace pawl::config {

std::string Problems::at(const Place& place) const {
    std::string text = file_.string();
    if (place.line > 0) text += fmt::format(":{}", place.line);
    text += ": ";
    if (!place.key.empty()) text += place.key + ": ";
    return text;
}

void Problems::found(const Place& place, std::string_view found, std::string_view expected,
                     std::string advice) {
    add(place, fmt::format("found {}, expected {}", found, expected), std::move(advice));
}

void Problems::missing(const Place& place, std::string_view expected) {
    add(place, fmt::format("is missing, expected {}", expected), fmt::format("set {}", place.key));
}

void Problems::add(const Place& place, std::string_view what, std::string advice) {
    errors_.push_back({place.line, Error{ErrorKind::invalid, at(place).append(what), std::move(advice)}});
}

void Problems::warn(const Place& place, std::string_view what) {
    warnings_.push_back(at(place).append(what));
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
