#include "index/check.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "index/check_privileges.h"
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
             "set it to request; until then pawl flushes the index before each checkpoint"});
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

// The index behind the alias; empty: none, or it cannot be used.
std::string check_alias(const Call& call, const config::Elasticsearch& settings, const config::Index& index,
                        std::vector<Notice>& found) {
    const auto target = find_target(call, index.alias);
    if (!target) {
        found.push_back(to_notice(target.error()));
        return {};
    }
    if (*target) {
        found.push_back({Severity::info, fmt::format("alias {}: writes go to index {}", index.alias,
                                                     (*target)->identity.index)});
        check_durability(**target, found);
        check_timeouts(**target, settings, found);
        return (*target)->identity.index;
    }
    if (index.create_body.empty()) {
        found.push_back({Severity::error, fmt::format("there is no alias {}", index.alias),
                         "create an index with that alias, or set pipeline.index.create"});
    } else if (const auto body = create_body_with(index); !body) {
        found.push_back(to_notice(body.error()));
    } else {
        found.push_back(
            {Severity::info, fmt::format("there is no alias {} yet: pawl will make it, with settings of {}",
                                         index.alias, index.create.string())});
    }
    return {};
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
    const std::string live = check_alias(servers.any, settings, pipeline.index, found);
    std::ranges::move(missing_privileges(servers.any, {.alias = pipeline.index.alias,
                                                       .live_index = live,
                                                       .may_create = !pipeline.index.create_body.empty()}),
                      std::back_inserter(found));
    check_request_sizes(servers.any, pipeline, found);
    return found;
}

}  // namespace pawl::index
