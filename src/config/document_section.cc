// [pipeline.document]: fields and constants
#include <cmath>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "config/limits.h"
#include "config/sections.h"
#include "config/values.h"

namespace pawl::config {
namespace {

using Json = nlohmann::ordered_json;

struct Constant {
    const Place& place;
    Problems& problems;
    bool good = true;
};

// Depth is bounded by what the TOML parser lets through.
Json to_json(const Node& node, Constant& constant) {  // NOLINT(misc-no-recursion)
    switch (node.kind) {
        case NodeKind::string: {
            auto text = text_of(node, constant.place, "a string", constant.problems);
            constant.good = constant.good && text;
            return text ? Json(std::move(*text)) : Json();
        }
        case NodeKind::integer:
            return node.integer;
        case NodeKind::real:
            if (std::isfinite(node.real)) return node.real;
            constant.problems.found(constant.place, "inf or nan", "a value that JSON has");
            constant.good = false;
            return {};
        case NodeKind::boolean:
            return node.boolean;
        case NodeKind::time:
            return node.text;
        case NodeKind::array: {
            Json array = Json::array();
            for (const Node& item : node.items)
                array.push_back(to_json(item, constant));
            return array;
        }
        case NodeKind::table:
            break;
    }
    Json object = Json::object();
    for (const Member& member : node.members)
        object[member.key] = to_json(member.value, constant);
    return object;
}

// The JSON text of a constant; empty when a problem was noted.
std::string constant_text(const Node& node, const Place& place, Problems& problems) {
    Constant constant{place, problems};
    const Json json = to_json(node, constant);
    if (!constant.good) return {};
    try {
        return json.dump();
    } catch (const nlohmann::json::exception&) {
        // Only what an environment variable holds can be that: TOML itself is UTF-8.
        problems.found(place, "bytes that are not UTF-8", "UTF-8");
        return {};
    }
}

// A document's field; false, and the problem noted, when it cannot be one or is there already.
bool is_new_field(const std::string& field, const Place& place, std::set<std::string>& taken,
                  Problems& problems) {
    if (field.empty()) {
        problems.found(place, "an empty field name", "the name of a field of the document");
        return false;
    }
    if (taken.insert(field).second) return true;
    problems.add(place, fmt::format("the field \"{}\" is in pipeline.document.fields already", field),
                 "a field has one value: remove one of the two");
    return false;
}

const std::vector<Member>* members_of(Section& section, std::string_view key, std::string_view example) {
    const Node* const node = section.node(key);
    if (node == nullptr) return nullptr;
    if (node->kind == NodeKind::table && node->members.size() <= limits::fields_max) return &node->members;
    section.problems().found(
        section.place(key),
        node->kind == NodeKind::table ? fmt::format("{} fields", node->members.size()) : describe(*node),
        fmt::format("a table of at most {} fields, such as {}", limits::fields_max, example));
    return nullptr;
}

}  // namespace

void read_document(Section section, Document& into) {
    Problems& problems = section.problems();
    constexpr std::string_view column = "the name of a column";
    const auto is_column = [](std::string_view text) {
        return !text.empty() && text.size() <= limits::column_bytes_max;
    };
    section.text("body", into.body, {is_column, column});
    std::set<std::string> taken;
    if (const auto* fields = members_of(section, "fields", "{ field = \"column\" }")) {
        for (const Member& member : *fields) {
            const Place place{member.line, section.place("fields").key + "." + member.key};
            const auto text = text_of(member.value, place, column, problems);
            if (!text || !is_new_field(member.key, place, taken, problems)) continue;
            if (is_column(*text))
                into.fields.emplace_back(member.key, *text);
            else
                problems.found(place, fmt::format("\"{}\"", *text), column);
        }
    }
    if (const auto* constants = members_of(section, "constants", "{ field = \"value\" }")) {
        for (const Member& member : *constants) {
            const Place place{member.line, section.place("constants").key + "." + member.key};
            std::string text = constant_text(member.value, place, problems);
            if (text.empty() || !is_new_field(member.key, place, taken, problems)) continue;
            into.constants.emplace_back(member.key, std::move(text));
        }
    }
    section.finish();
}

}  // namespace pawl::config
