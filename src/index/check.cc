#include "index/check.h"

#include <set>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "index/answer.h"
#include "index/limits.h"
#include "index/server.h"
#include "index/target.h"

namespace pawl::index {
namespace {

using engine::Notice;
using engine::Severity;
using nlohmann::json;

Notice to_notice(const Error& error) {
    return {Severity::error, error.message, error.advice};
}

// True: at least one URL answers as it should.
bool check_urls(const Servers& servers, std::vector<Notice>& found) {
    std::set<std::string> versions;
    for (std::size_t url = 0; url < servers.urls.size(); ++url) {
        const auto server = find_server(servers.each[url]);
        if (!server) {
            found.push_back(to_notice(server.error()));
            continue;
        }
        versions.insert(name_of(*server));
        found.push_back({Severity::info, fmt::format("{}: {}", servers.urls[url], name_of(*server))});
    }
    if (versions.size() > 1)
        found.push_back(
            {Severity::warning, "elasticsearch.urls: the servers have different versions",
             "that is fine while a cluster is upgraded; else see whether they are of one cluster"});
    return !versions.empty();
}

void check_durability(const Target& target, std::vector<Notice>& found) {
    if (target.is_async_durable)
        found.push_back(
            {Severity::warning,
             fmt::format("index {}: index.translog.durability is async: it may lose writes of its last "
                         "seconds that it has acknowledged",
                         target.identity.index),
             "set it to request"});
    if (!target.block.empty())
        found.push_back(
            {Severity::error,
             fmt::format("index {}: index.blocks.{} forbids writing", target.identity.index, target.block),
             fmt::format(
                 "free disk space if that is why, then PUT /{}/_settings {{\"index.blocks.{}\":null}}",
                 target.identity.index, target.block)});
}

void check_timeouts(const Target& target, const config::Elasticsearch& settings, std::vector<Notice>& found) {
    if (target.gc_deletes_ms < limits::gc_deletes_short_ms)
        found.push_back(
            {Severity::warning,
             fmt::format("index {}: index.gc_deletes is {} s: after an outage longer than half of that, "
                         "rows are read again before they are sent",
                         target.identity.index, target.gc_deletes_ms / 1000),
             fmt::format("PUT /{}/_settings {{\"index.gc_deletes\":\"{}\"}}", target.identity.index,
                         limits::gc_deletes_created)});
    const auto used_ms = request_timeout_for(settings.request_timeout_ms, target.gc_deletes_ms);
    if (used_ms < settings.request_timeout_ms)
        found.push_back(
            {Severity::warning,
             fmt::format("elasticsearch.request_timeout = {} ms is lowered to {}: no request may outlive "
                         "half of index.gc_deletes",
                         settings.request_timeout_ms, used_ms),
             "raise index.gc_deletes, or lower the setting"});
}

// {"lex":{"read":true,"write":false}} → "write" of "lex"
std::vector<std::string> missing_in(const json& answer, const std::string& key) {
    std::vector<std::string> missing;
    const auto privileges = answer.find(key);
    if (privileges == answer.end() || !privileges->is_object()) return missing;
    for (const auto& [name, is_there] : privileges->items())
        if (is_there == false) missing.push_back(name);
    return missing;
}

// Privileges that pawl needs, asked where the server can tell (Elasticsearch with security).
void check_privileges(const Call& call, const std::string& alias, std::vector<Notice>& found) {
    const json question = {
        {"cluster", {"monitor"}},
        {"index",
         json::array({{{"names", json::array({alias})},
                       {"privileges", {"read", "index", "delete", "view_index_metadata", "manage"}}}})}};
    auto request = put_request("/_security/user/_has_privileges",
                               question.dump(-1, ' ', false, json::error_handler_t::replace));
    request.method = Method::post;
    const auto response = call_ok(call, std::move(request));
    if (!response) return;
    const auto answer = json::parse(response->body, nullptr, false);
    if (!answer.is_object()) return;
    std::size_t listed = 0;
    const auto list = [&](const std::string& privilege) {
        if (listed++ < limits::privileges_listed_max)
            found.push_back({Severity::error,
                             fmt::format("elasticsearch.user has not the privilege {}",
                                         bounded(privilege, limits::error_reason_bytes_max)),
                             "give it to that user's role"});
    };
    for (const auto& privilege : missing_in(answer, "cluster"))
        list("cluster/" + privilege);
    const auto index = answer.find("index");
    if (index == answer.end() || !index->is_object()) return;
    for (const auto& [name, privileges] : index->items())
        for (const auto& privilege : missing_in(*index, name))
            list(fmt::format("index/{}/{}", name, privilege));
}

void check_request_sizes(const Call& call, const config::Pipeline& pipeline, std::vector<Notice>& found) {
    const auto response =
        call_ok(call, get_request("/_nodes/_local?filter_path=nodes.*.http.max_content_length_in_bytes"));
    if (!response) return;
    const auto answer = json::parse(response->body, nullptr, false);
    if (!answer.is_object()) return;
    const auto wanted = std::max(pipeline.document_bytes_max, pipeline.limits.batch_bytes_max);
    const auto nodes = answer.find("nodes");
    if (nodes == answer.end() || !nodes->is_object() || nodes->empty()) return;
    const auto& node = nodes->front();  // _local: the one that answers
    constexpr const char* path = "http";
    if (!node.is_object() || !node.contains(path) || !node[path].is_object()) return;
    const auto bytes = node[path].find("max_content_length_in_bytes");
    if (bytes == node[path].end() || !bytes->is_number_unsigned() || bytes->get<std::uint64_t>() >= wanted)
        return;
    found.push_back({Severity::warning,
                     fmt::format("pipeline {}: requests may have {} bytes, the server takes {} "
                                 "(http.max_content_length)",
                                 pipeline.name, wanted, bytes->get<std::uint64_t>()),
                     "lower pipeline.limits.document_bytes, or raise the server's limit"});
}

void check_alias(const Call& call, const config::Elasticsearch& settings, const config::Index& index,
                 std::vector<Notice>& found) {
    const auto target = find_target(call, index.alias);
    if (!target) {
        found.push_back(to_notice(target.error()));
        return;
    }
    if (*target) {
        found.push_back({Severity::info, fmt::format("alias {}: writes go to index {}", index.alias,
                                                     (*target)->identity.index)});
        check_durability(**target, found);
        check_timeouts(**target, settings, found);
    } else if (index.create_body.empty()) {
        found.push_back({Severity::error, fmt::format("there is no alias {}", index.alias),
                         "create an index with that alias, or set pipeline.index.create"});
    } else if (const auto body = create_body_with(index); !body) {
        found.push_back(to_notice(body.error()));
    } else {
        found.push_back(
            {Severity::info, fmt::format("there is no alias {} yet: pawl will make it, with settings of {}",
                                         index.alias, index.create.string())});
    }
}

}  // namespace

std::vector<Notice> check(HttpClient& client, const config::Elasticsearch& settings,
                          const config::Pipeline& pipeline) {
    HttpSession session(client);
    Servers servers{
        client.urls(), {}, [&session](HttpRequest request) { return session.call(std::move(request)); }};
    for (std::size_t url = 0; url < servers.urls.size(); ++url)
        servers.each.emplace_back([&session, url](HttpRequest request) {
            request.url = url;
            return session.call(std::move(request));
        });
    return check(servers, settings, pipeline);
}

std::vector<Notice> check(const Servers& servers, const config::Elasticsearch& settings,
                          const config::Pipeline& pipeline) {
    PAWL_ASSERT(servers.each.size() == servers.urls.size());
    std::vector<Notice> found;
    if (!check_urls(servers, found)) return found;
    check_alias(servers.any, settings, pipeline.index, found);
    check_privileges(servers.any, pipeline.index.alias, found);
    check_request_sizes(servers.any, pipeline, found);
    return found;
}

}  // namespace pawl::index
