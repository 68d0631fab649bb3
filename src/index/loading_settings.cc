#include "index/loading_settings.h"

#include <array>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace pawl::index {
namespace {

using Json = nlohmann::ordered_json;

struct Loading {
    const char* name;
    const char* value;
};
// auto_expand_replicas would bring replicas back that number_of_replicas takes away. Without refreshes,
// documents are kept in memory until the last flush, which writes them with one thread while nothing else is
// done (1.4 s of 100 MB, the default of a heap of 1 GB); so some are written now and then, beside the
// indexing.
constexpr std::array<Loading, 5> loading{{
    {"index.refresh_interval", "-1"},
    {"index.number_of_replicas", "0"},
    {"index.auto_expand_replicas", "false"},
    {"index.translog.durability", "async"},
    {"index.translog.flush_threshold_size", "64mb"},
}};

// {"index":{"a":{"b":1}},"c":2} → {"index.a.b":1,"index.c":2}: the servers read both as the same settings.
void flatten(const Json& settings, const std::string& prefix, Json& flat) {
    for (const auto& [name, value] : settings.items()) {
        const std::string path = prefix.empty() ? name : fmt::format("{}.{}", prefix, name);
        if (value.is_object())
            flatten(value, path, flat);
        else
            flat[path.starts_with("index.") ? path : "index." + path] = value;
    }
}

struct Parts {
    Json body;
    Json settings;  // flat
};

Result<Parts> parts_of(const config::Index& index) {
    Parts parts{.body = Json::parse(index.create_body, nullptr, false), .settings = Json::object()};
    const bool sound =
        parts.body.is_object() && (!parts.body.contains("settings") || parts.body["settings"].is_object());
    if (!sound)
        return fail(ErrorKind::invalid, fmt::format("{}: not a JSON object", index.create.string()),
                    "write {\"settings\": …, \"mappings\": …}");
    if (parts.body.contains("settings")) flatten(parts.body["settings"], "", parts.settings);
    return parts;
}

// The config has checked that it is UTF-8; this is the border, and dump would throw.
std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<std::string> loading_body(const config::Index& index) {
    auto parts = parts_of(index);
    if (!parts) return std::unexpected(std::move(parts.error()));
    for (const Loading& setting : loading)
        parts->settings[setting.name] = setting.value;
    parts->body["settings"] = std::move(parts->settings);
    return dumped(parts->body);
}

Result<std::string> own_settings(const config::Index& index) {
    const auto parts = parts_of(index);
    if (!parts) return std::unexpected(parts.error());
    Json own = Json::object();
    for (const Loading& setting : loading)
        own[setting.name] = parts->settings.contains(setting.name) ? parts->settings[setting.name] : Json();
    return dumped(own);
}

}  // namespace pawl::index
