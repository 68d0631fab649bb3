#include "index/kept_source.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "index/limits.h"

namespace pawl::index {
namespace {

using nlohmann::json;

std::vector<std::string> patterns_in(const json& source, const char* key) {
    std::vector<std::string> patterns;
    const auto found = source.find(key);
    if (found == source.end()) return patterns;
    if (found->is_string()) return {found->get<std::string>()};
    if (!found->is_array()) return patterns;
    for (const json& pattern : *found)
        if (pattern.is_string()) patterns.push_back(pattern.get<std::string>());
    return patterns;
}

std::string text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) return {};
    return found->is_string() ? found->get<std::string>() : found->dump();
}

void read_mapping(const json& source, KeptSource& kept) {
    if (text_at(source, "enabled") == "false") kept.why_not_whole = "_source is not enabled in its mapping";
    if (text_at(source, "mode") == "synthetic") kept.why_not_whole = "_source is synthetic in its mapping";
    kept.includes = patterns_in(source, "includes");
    kept.excludes = patterns_in(source, "excludes");
}

Result<json> object_at(const Call& call, std::string path, const json::json_pointer& pointer) {
    const auto response = call_ok(call, get_request(std::move(path)));
    if (!response) return std::unexpected(response.error());
    const auto answer = json::parse(response->body, nullptr, false);
    if (answer.is_discarded())
        return fail(ErrorKind::unavailable, response->where + ": the answer is no JSON");
    if (!answer.contains(pointer) || !answer[pointer].is_object()) return json::object();
    return answer[pointer];
}

}  // namespace

Result<KeptSource> find_kept_source(const Call& call, const std::string& index) {
    const std::string path = "/" + percent_encoded(index);
    const auto root = json::json_pointer() / index;
    KeptSource kept;
    const auto source =
        object_at(call, path + "/_mapping?filter_path=*.mappings._source", root / "mappings" / "_source");
    if (!source) return std::unexpected(source.error());
    read_mapping(*source, kept);
    const auto settings = object_at(call, path + "/_settings?flat_settings=true", root / "settings");
    if (!settings) return std::unexpected(settings.error());
    const auto mode = text_at(*settings, "index.mapping.source.mode");
    if (mode == "synthetic" || mode == "disabled")
        kept.why_not_whole = fmt::format("index.mapping.source.mode is {}", mode);
    if (text_at(*settings, "index.derived_source.enabled") == "true")
        kept.why_not_whole = "index.derived_source.enabled is true";
    return kept;
}

}  // namespace pawl::index
