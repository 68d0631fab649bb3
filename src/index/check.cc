#include "index/check.h"

#include <set>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

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
bool check_urls(HttpSession& session, const std::vector<std::string>& urls, std::vector<Notice>& found) {
    std::set<std::string> versions;
    for (std::size_t url = 0; url < urls.size(); ++url) {
        const Call call = [&](HttpRequest request) {
            request.url = url;
            return session.call(std::move(request));
        };
        const auto server = find_server(call);
        if (!server) {
            found.push_back(to_notice(server.error()));
            continue;
        }
        versions.insert(name_of(*server));
        found.push_back({Severity::info, fmt::format("{}: {}", urls[url], name_of(*server))});
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
    const auto values = answer.flatten();
    for (const auto& [path, value] : values.items())
        if (value == false && path != "/has_all_requested")
            found.push_back({Severity::error,
                             fmt::format("elasticsearch.user has not the privilege {}", path.substr(1)),
                             "give it to that user's role"});
}

void check_request_sizes(const Call& call, const config::Pipeline& pipeline, std::vector<Notice>& found) {
    const auto response =
        call_ok(call, get_request("/_nodes/_local?filter_path=nodes.*.http.max_content_length_in_bytes"));
    if (!response) return;
    const auto answer = json::parse(response->body, nullptr, false);
    if (!answer.is_object()) return;
    const auto wanted = std::max(pipeline.document_bytes_max, pipeline.limits.batch_bytes_max);
    const auto values = answer.flatten();
    for (const auto& [path, value] : values.items())
        if (value.is_number_unsigned() && value.get<std::uint64_t>() < wanted)
            found.push_back({Severity::warning,
                             fmt::format("pipeline {}: requests may have {} bytes, the server takes {} "
                                         "(http.max_content_length)",
                                         pipeline.name, wanted, value.get<std::uint64_t>()),
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
    std::vector<Notice> found;
    HttpSession session(client);
    if (!check_urls(session, client.urls(), found)) return found;
    const Call call = [&session](HttpRequest request) { return session.call(std::move(request)); };
    check_alias(call, settings, pipeline.index, found);
    check_privileges(call, pipeline.index.alias, found);
    check_request_sizes(call, pipeline, found);
    return found;
}

}  // namespace pawl::index
