#include "index/server.h"

#include <charconv>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "index/answer.h"
#include "index/limits.h"

namespace pawl::index {
namespace {

using nlohmann::json;

constexpr std::pair<int, int> elasticsearch_oldest{7, 17};
constexpr std::size_t version_bytes_max = 40;

std::string bounded_text(const json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end() || !found->is_string()) return {};
    return bounded(found->get_ref<const std::string&>(), version_bytes_max);
}

// "8.19.7" → {8, 19}
std::pair<int, int> major_minor(std::string_view version) {
    std::pair<int, int> numbers{0, 0};
    const char* const end = version.data() + version.size();
    const auto major = std::from_chars(version.data(), end, numbers.first);
    if (major.ec == std::errc{} && major.ptr != end && *major.ptr == '.')
        std::from_chars(major.ptr + 1, end, numbers.second);
    return numbers;
}

std::unexpected<Error> not_a_search_server(std::string_view where) {
    return fail(ErrorKind::invalid,
                fmt::format("{}: neither Elasticsearch nor OpenSearch answers there", where),
                "correct elasticsearch.urls");
}

Result<Server> server_in_root(const HttpResponse& response) {
    const auto answer = json::parse(response.body, nullptr, false);
    const auto version = answer.is_object() ? answer.find("version") : answer.end();
    if (!answer.is_object() || version == answer.end()) return not_a_search_server(response.where);
    const auto number = bounded_text(*version, "number");
    if (number.empty()) return not_a_search_server(response.where);
    const bool is_opensearch = bounded_text(*version, "distribution") == "opensearch";
    return Server{is_opensearch ? "OpenSearch" : "Elasticsearch", number};
}

// {"nodes":{"…":{"version":"8.19.7"}}}. Only Elasticsearch is ever without GET /: a build with few modules.
Result<Server> server_in_nodes(const HttpResponse& response) {
    const auto answer = json::parse(response.body, nullptr, false);
    if (!answer.is_object() || !answer.contains("nodes") || !answer["nodes"].is_object() ||
        answer["nodes"].empty())
        return not_a_search_server(response.where);
    const auto number = bounded_text(answer["nodes"].front(), "version");
    if (number.empty()) return not_a_search_server(response.where);
    return Server{"Elasticsearch", number};
}

Result<Server> ask(const Call& call) {
    const auto root = call(get_request("/"));
    if (!root) return std::unexpected(root.error());
    if (root->status == 200) return server_in_root(*root);
    if (root->status != 405 && root->status != 400 && root->status != 404)
        return std::unexpected(error_of_status(root->where, root->status, root->body));
    const auto nodes = call_ok(call, get_request("/_nodes/_local?filter_path=nodes.*.version"));
    if (nodes) return server_in_nodes(*nodes);
    if (nodes.error().kind == ErrorKind::target_missing || nodes.error().kind == ErrorKind::rejected)
        return not_a_search_server(root->where);
    return std::unexpected(nodes.error());
}

}  // namespace

HttpRequest get_request(std::string path) {
    return {.path = std::move(path),
            .timeout_ms = limits::admin_timeout_ms,
            .answer_bytes_max = limits::admin_answer_bytes_max};
}

HttpRequest put_request(std::string path, std::string body) {
    auto request = get_request(std::move(path));
    request.method = Method::put;
    request.body = std::move(body);
    return request;
}

Result<HttpResponse> call_ok(const Call& call, HttpRequest request) {
    auto response = call(std::move(request));
    if (response && (response->status < 200 || response->status > 299))
        return std::unexpected(error_of_status(response->where, response->status, response->body));
    return response;
}

Result<void> on_all_shards(const Call& call, HttpRequest request, std::string_view done) {
    const auto response = call_ok(call, std::move(request));
    if (!response) return std::unexpected(response.error());
    const auto answer = json::parse(response->body, nullptr, false);
    const json::json_pointer failed("/_shards/failed");
    if (answer.is_object() && answer.contains(failed) && answer[failed] == 0) return {};
    return fail(ErrorKind::unavailable, fmt::format("{}: not all shards were {}", response->where, done),
                "see GET /_cat/shards, and run it again");
}

std::string name_of(const Server& server) {
    return server.product + " " + server.version;
}

Result<Server> find_server(const Call& call) {
    auto server = ask(call);
    if (server && server->product == "Elasticsearch" && major_minor(server->version) < elasticsearch_oldest)
        return fail(ErrorKind::invalid, fmt::format("{} is too old for pawl", name_of(*server)),
                    fmt::format("upgrade to Elasticsearch {}.{} or later, or to OpenSearch",
                                elasticsearch_oldest.first, elasticsearch_oldest.second));
    return server;
}

}  // namespace pawl::index
