#include "index/rebuild_index.h"

#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/failpoint.h"
#include "index/answer.h"
#include "index/limits.h"
#include "index/loading_settings.h"

namespace pawl::index {
namespace {

using Json = nlohmann::ordered_json;  // an alias's filter keeps the order of its keys

constexpr TimeMs health_wait_ms = limits::admin_timeout_ms / 2;  // the server's, within one request

constexpr const char* sum_query = R"({"size":0,"aggs":{"versions":{"stats":{"field":"_version"}}}})";
constexpr double exact_below = 1ULL << 53U;  // the servers sum doubles

HttpRequest post_request(std::string path, std::string body = {}) {
    auto request = put_request(std::move(path), std::move(body));
    request.method = Method::post;
    return request;
}

std::unexpected<Error> refused_by(const HttpResponse& response) {
    return std::unexpected(error_of_status(response.where, response.status, response.body));
}

Result<void> wait_for_replicas(const Call& call, const std::string& name, const std::function<bool()>& stop) {
    for (TimeMs waited = 0; waited < limits::replicas_wait_max_ms && !stop(); waited += health_wait_ms) {
        const auto response = call(get_request(fmt::format(
            "/_cluster/health/{}?wait_for_no_initializing_shards=true&wait_for_events=languid&timeout={}ms",
            percent_encoded(name), health_wait_ms)));
        if (!response) return std::unexpected(response.error());
        if (response->status == 200) return {};
        if (response->status != 408) return refused_by(*response);
    }
    return {};
}

// {"lex-1":{"aliases":{"lex":{"is_write_index":true},…}}} → the aliases; empty object: none.
Result<Json> aliases_of(const Call& call, const std::string& name) {
    const auto response = call_ok(call, get_request(fmt::format("/{}/_alias", percent_encoded(name))));
    if (!response) return std::unexpected(response.error());
    const auto answer = Json::parse(response->body, nullptr, false);
    const auto place = Json::json_pointer("/aliases");
    if (!answer.is_object() || !answer.contains(name) || !answer[name].contains(place) ||
        !answer[name][place].is_object())
        return fail(
            ErrorKind::unavailable, response->where + ": the answer cannot be understood",
            "see whether something else than Elasticsearch or OpenSearch answers at elasticsearch.urls");
    return answer[name][place];
}

std::optional<double> number_at(const Json& answer, const char* place) {
    const Json::json_pointer at(place);
    const bool is_there =
        answer.is_object() && answer.contains(at) && answer[at].is_number() && answer[at].get<double>() >= 0;
    return is_there ? std::optional(answer[at].get<double>()) : std::nullopt;
}

// What must exist, and does not, has the whole request fail.
enum class MustExist : std::uint8_t { no, yes };
Json taking(const std::string& index, const std::string& alias, MustExist must_exist) {
    return {{"remove", {{"index", index}, {"alias", alias}, {"must_exist", must_exist == MustExist::yes}}}};
}

// {"lex":{…},"all":{…}} as actions that take them from one index and give them to another, or the same.
Json moving(const Json& aliases, const std::string& from, const std::string& to,
            const std::string& write_alias) {
    Json actions = Json::array();
    for (const auto& [name, definition] : aliases.items())
        actions.push_back(taking(from, name, MustExist::yes));
    for (const auto& [name, definition] : aliases.items()) {
        Json add = definition.is_object() ? definition : Json::object();
        add["index"] = to;
        add["alias"] = name;
        if (name == write_alias) add["is_write_index"] = true;
        actions.push_back({{"add", std::move(add)}});
    }
    return actions;
}

Result<void> post_actions(const Call& call, Json actions) {
    const Json body = {{"actions", std::move(actions)}};
    const auto done =
        call_ok(call, post_request("/_aliases", body.dump(-1, ' ', false, Json::error_handler_t::replace)));
    if (!done) return std::unexpected(done.error());
    const auto answer = Json::parse(done->body, nullptr, false);
    if (answer.is_object() && answer.value("acknowledged", Json()) == true) return {};
    return fail(ErrorKind::unavailable, done->where + ": not every node of the cluster knows of it yet",
                "see which nodes are slow or away, then run it again");
}

// What an alias begins with that lets one swap take effect.
std::string permit_prefix(const std::string& alias) {
    return rebuild_alias(alias) + "-swap-";
}

// The action that takes the rebuild's alias and all permits from an index.
Json taking_all(const std::string& alias, const std::string& index) {
    const Json names = Json::array({rebuild_alias(alias), permit_prefix(alias) + "*"});
    return {{"remove", {{"index", index}, {"aliases", names}}}};
}

// Without a look at what is there, which may lag behind; and in one step with giving the rebuild's alias
// back, so that the request always finds something to take.
Result<void> withdraw_permits(const Call& call, const std::string& alias, const std::string& fresh) {
    const Json give = {
        {"add", {{"index", fresh}, {"alias", rebuild_alias(alias)}, {"is_write_index", true}}}};
    return post_actions(call, Json::array({taking_all(alias, fresh), give}));
}

}  // namespace

std::string rebuild_alias(const std::string& alias) {
    return alias + "-pawl-rebuild";
}

Result<config::Index> rebuild_target(const config::Index& index) {
    auto body = loading_body(index);
    if (!body) return std::unexpected(std::move(body.error()));
    config::Index target = index;
    target.alias = rebuild_alias(index.alias);
    target.created_as = index.alias;
    target.create_body = std::move(*body);
    return target;
}

Result<RebuildIndices> find_rebuild(const Call& call, const std::string& alias) {
    auto live = find_target(call, alias);
    if (!live) return std::unexpected(std::move(live.error()));
    auto fresh = find_target(call, rebuild_alias(alias));
    if (!fresh) return std::unexpected(std::move(fresh.error()));
    return RebuildIndices{.live = std::move(*live), .fresh = std::move(*fresh)};
}

// Looks once more: what took effect before it was shut out has changed something.
Result<RebuildIndices> take_over_rebuild(const Call& call, const std::string& alias) {
    auto indices = find_rebuild(call, alias);
    if (!indices || !indices->fresh || indices->swapped()) return indices;
    if (auto shut_out = withdraw_permits(call, alias, indices->fresh->identity.index); !shut_out)
        return std::unexpected(std::move(shut_out.error()));
    return find_rebuild(call, alias);
}

Result<void> finish_loading(const Call& call, const config::Index& index, const std::string& name,
                            const std::function<bool()>& stop) {
    auto settings = own_settings(index);
    if (!settings) return std::unexpected(std::move(settings.error()));
    const std::string path = "/" + percent_encoded(name);
    failpoint::at("before:finish_loading");
    auto set = call_ok(call, put_request(path + "/_settings", std::move(*settings)));
    failpoint::at("after:finish_loading");
    if (!set) return std::unexpected(std::move(set.error()));
    if (auto flushed = on_all_shards(call, post_request(path + "/_flush?wait_if_ongoing=true"), "flushed");
        !flushed)
        return flushed;
    if (auto refreshed = on_all_shards(call, post_request(path + "/_refresh"), "refreshed"); !refreshed)
        return refreshed;
    return wait_for_replicas(call, name, stop);
}

Result<std::uint64_t> count_documents(const Call& call, const std::string& index) {
    const std::string path = "/" + percent_encoded(index);
    if (auto refreshed = on_all_shards(call, post_request(path + "/_refresh"), "refreshed"); !refreshed)
        return std::unexpected(refreshed.error());
    const auto response = call_ok(call, get_request(path + "/_count"));
    if (!response) return std::unexpected(response.error());
    const auto answer = Json::parse(response->body, nullptr, false);
    const auto failed = Json::json_pointer("/_shards/failed");
    const bool sound = answer.is_object() && answer.contains("count") &&
                       answer["count"].is_number_unsigned() && answer.contains(failed) && answer[failed] == 0;
    if (!sound) return fail(ErrorKind::unavailable, response->where + ": not all shards were counted");
    return answer["count"].get<std::uint64_t>();
}

Result<Sums> sum_versions(const Call& call, const std::string& index) {
    const std::string path = "/" + percent_encoded(index);
    if (auto refreshed = on_all_shards(call, post_request(path + "/_refresh"), "refreshed"); !refreshed)
        return std::unexpected(refreshed.error());
    const auto response = call(post_request(path + "/_search", sum_query));
    if (!response) return std::unexpected(response.error());
    if (response->status == 400) {
        const auto documents = count_documents(call, index);
        if (!documents) return std::unexpected(documents.error());
        return Sums{*documents, std::nullopt};
    }
    if (response->status != 200) return refused_by(*response);
    const auto answer = Json::parse(response->body, nullptr, false);
    const auto documents = number_at(answer, "/aggregations/versions/count");
    const auto sum = number_at(answer, "/aggregations/versions/sum");
    const bool is_whole = number_at(answer, "/_shards/failed") == 0.0 && answer.contains("timed_out") &&
                          answer["timed_out"] == false;
    if (!is_whole || !documents || !sum)
        return fail(ErrorKind::unavailable, response->where + ": not all shards were counted");
    Sums sums{static_cast<std::uint64_t>(*documents), std::nullopt};
    if (*sum < exact_below) sums.versions = static_cast<std::uint64_t>(*sum);
    return sums;
}

Result<void> rehearse_swap(const Call& call, const std::string& alias, const std::string& live) {
    auto aliases = aliases_of(call, live);
    if (!aliases) return std::unexpected(std::move(aliases.error()));
    Json actions = moving(*aliases, live, live, {});
    actions.push_back(taking(live, permit_prefix(alias) + "rehearsal", MustExist::no));
    return post_actions(call, std::move(actions));
}

Result<void> swap_alias(const Call& call, const std::string& alias, const std::string& live,
                        const std::string& fresh, TimeMs now) {
    auto aliases = aliases_of(call, live);
    if (!aliases) return std::unexpected(std::move(aliases.error()));
    const std::string permit = fmt::format("{}{}", permit_prefix(alias), now);
    const Json give = {{"add", {{"index", fresh}, {"alias", permit}}}};
    if (auto given = post_actions(call, Json::array({give})); !given) return given;
    Json actions = moving(*aliases, live, fresh, alias);
    actions.push_back(taking(fresh, permit, MustExist::yes));
    failpoint::at("before:swap_alias");
    auto swapped = post_actions(call, std::move(actions));
    failpoint::at("after:swap_alias");
    return swapped;
}

Result<void> forget_rebuild(const Call& call, const std::string& alias, const std::string& index) {
    failpoint::at("before:forget_rebuild");
    auto done = post_actions(call, Json::array({taking_all(alias, index)}));
    failpoint::at("after:forget_rebuild");
    return done;
}

Result<void> delete_beside(const Call& call, const std::string& alias, const std::string& live,
                           const std::string& index) {
    const auto aliases = aliases_of(call, live);
    if (!aliases) return std::unexpected(aliases.error());
    const auto definition = aliases->find(alias);
    if (live == index || definition == aliases->end())
        return fail(ErrorKind::decision, fmt::format("alias {} does not lead to {} any more", alias, live),
                    "see where it should lead; then run it again");
    Json actions = moving({{alias, *definition}}, live, live, {});
    actions.push_back({{"remove_index", {{"index", index}}}});
    auto deleted = post_actions(call, std::move(actions));
    if (deleted) return deleted;
    const auto seen = call(get_request("/" + percent_encoded(index) + "/_alias"));
    if (seen && seen->status == 404) return {};
    return deleted;
}

Result<void> delete_index(const Call& call, const std::string& index) {
    auto request = get_request("/" + percent_encoded(index));
    request.method = Method::remove;
    const auto done = call(std::move(request));
    if (!done) return std::unexpected(done.error());
    if (done->status == 200 || done->status == 404) return {};
    return refused_by(*done);
}

}  // namespace pawl::index
